/** BullMQ works with ioredis itself: plain options stay, and a client that the code hands to it gets a mark. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { migrateIoredis } from './migrate.ts'

/** The types of BullMQ 5, as far as the code below uses them. */
const TYPES = `import type { Cluster, ClusterOptions as OfCluster, Redis, RedisOptions as OfClient } from 'ioredis'
interface BaseOptions { skipVersionCheck?: boolean }
export type RedisOptions = OfClient & BaseOptions
export type ClusterOptions = OfCluster & BaseOptions
export type ConnectionOptions = RedisOptions | ClusterOptions | Redis | Cluster
export class Queue { constructor(name: string, options?: { connection: ConnectionOptions }) }
`
const PLAIN = `import { Queue } from 'bullmq'

export const mail = new Queue('mail', { connection: { host: 'localhost', port: 6379 } })
export const jobs = new Queue('jobs', {
  connection: { host: 'localhost', maxRetriesPerRequest: null, reconnectOnError: () => true },
})
`
const TYPED = `import { type ConnectionOptions, Queue, type RedisOptions } from 'bullmq'

const connection: ConnectionOptions = { sentinels: [{ host: 'a', port: 26379 }], name: 'main' }
const options: RedisOptions = { host: 'localhost', stringNumbers: true }
export const queues = [new Queue('mail', { connection }), new Queue('jobs', { connection: options })]
`
const CLIENT = `import { Queue } from 'bullmq'
import { redis } from './redis'

export const mail = new Queue('mail', { connection: redis })
const options = { connection: redis }
export const jobs = new Queue('jobs', options)
`
/** The comment above a call whose package is known. */
const ADVICE = /^\/\/ coatcheck-codemod-error client-to-package: Give BullMQ .*\n/gm
let cwd = ''
const read = (path: string): string => readFileSync(join(cwd, path), 'utf8')

beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), 'coatcheck-codemod-'))
  const dependencies = { bullmq: '^5.60.0', ioredis: '^5.4.0' }
  writeFileSync(join(cwd, 'package.json'), JSON.stringify({ dependencies }, null, 2))
  writeFileSync(
    join(cwd, 'redis.ts'),
    "import Redis from 'ioredis'\n\nexport const redis = new Redis({ maxRetriesPerRequest: null })\n",
  )
  writeFileSync(join(cwd, 'plain.ts'), PLAIN)
  writeFileSync(join(cwd, 'client.ts'), CLIENT)
})
afterEach(() => rmSync(cwd, { recursive: true, force: true }))

test.each([true, false])('leaves plain options alone and marks a client; types installed: %s', async (hasTypes) => {
  if (hasTypes) {
    mkdirSync(join(cwd, 'node_modules/bullmq'), { recursive: true })
    writeFileSync(join(cwd, 'node_modules/bullmq/package.json'), '{ "name": "bullmq", "types": "index.d.ts" }')
    writeFileSync(join(cwd, 'node_modules/bullmq/index.d.ts'), TYPES)
    writeFileSync(join(cwd, 'typed.ts'), TYPED)
  }
  await migrateIoredis({ cwd, paths: [], target: 6, mode: 'write' })
  expect(read('plain.ts')).toBe(PLAIN)
  if (hasTypes) expect(read('typed.ts')).toBe(TYPED)
  const marked = read('client.ts').replace(
    /^(\/\/ coatcheck-codemod-error) (client-to-package|client-as-any): .*/gm,
    '$1',
  )
  expect(marked).toBe(CLIENT.replaceAll('export const', '// coatcheck-codemod-error\nexport const'))
  expect(read('client.ts').match(ADVICE)).toHaveLength(hasTypes ? 2 : 1)
  // BullMQ 5 brings its own ioredis.
  expect(Object.keys((JSON.parse(read('package.json')) as { dependencies: object }).dependencies)).toEqual([
    'bullmq',
    'redis',
  ])
})
