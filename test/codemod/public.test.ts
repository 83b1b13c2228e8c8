/**
 * Patterns of public repositories that moved from ioredis to node-redis by hand, rebuilt in our own code. docs/migrate-from-ioredis.md says
 * where the result of the codemod differs from their hands.
 */
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { copyApplication } from './application.ts'
import { migrate, runCodemod } from './codemod.ts'
import { differences } from './compare.ts'
import { TARGETS } from './comparison.ts'
import { type Keyspace, openKeyspace } from './keyspace.ts'
import { markedSteps } from './marks.ts'
import { record } from './recorder.ts'
import { type Servers, startServers } from './servers.ts'

const PROJECTS = resolve(import.meta.dirname, 'public')

describe('patterns of public repositories', () => {
  let servers: Servers
  let keyspace: Keyspace

  beforeAll(async () => {
    servers = await startServers()
    keyspace = await openKeyspace(servers.url)
  })
  afterAll(async () => {
    keyspace.close()
    await servers.stop()
  })

  describe.each(TARGETS)('for redis $target', ({ target, redis }) => {
    it.each(['anagrabble', 'conference-hall', 'job-queue'])(
      '%s is rewritten without a mark and without a difference',
      async (name) => {
        const application = copyApplication(join(PROJECTS, name), { ioredis: 'ioredis' })
        await application.compile()
        const options = { env: servers.env, keyspace }
        const before = await record(application, options)
        await migrate(application, target)
        application.install({ redis })
        expect(await application.check()).toBe('')
        await application.compile()
        expect(differences(before, await record(application, options))).toEqual([])
        expect([...markedSteps(application)]).toEqual([])
        expect(readFileSync(join(application.path, 'package.json'), 'utf8')).not.toContain('ioredis')
        application.remove()
      },
    )

    it('nodebb hides its client behind any: its calls are rewritten, those of its own batch() marked', async () => {
      const application = copyApplication(join(PROJECTS, 'nodebb'), { ioredis: 'ioredis' })
      const { sites } = await migrate(application, target)
      const codes = sites.flatMap(({ file, code }) => (code === undefined ? [] : [`${file} ${code}`]))
      expect(codes).toContain('src/hash.js unknown-member')
      expect(codes).toContain('src/hash.js untyped-client')
      expect(codes).not.toContain('src/connection.js client-as-any')
      const read = (file: string): string => readFileSync(join(application.path, file), 'utf8')
      expect(read('src/hash.js')).toContain("await command(db.client, 'hgetall', key)")
      expect(read('src/sorted.js')).toContain('const multi = createTransaction(db.client)')
      expect((await runCodemod(application, '--check', '--target', String(target))).code).toBe(1)
      application.remove()
    })
  })
})
