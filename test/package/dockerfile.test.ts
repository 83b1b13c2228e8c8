/**
 * The Dockerfile of docs/deploy.md with the server of that page: built in folders, started, asked by its health check, and ended
 * as `docker stop` ends it. `image.ts` says what no container engine means for this test.
 */
import { execFile, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { blocksOf } from '../docs/blocks.ts'
import { freePort, type RedisServer, startRedisServer } from '../support/redis-server.ts'
import { buildImage } from './image.ts'
import { newProject, outsideOfNpm, pack, placeWithoutPackages } from './packing.ts'

const run = promisify(execFile)
const place = mkdtempSync(join(placeWithoutPackages(), 'coatcheck-image-'))
const context = join(place, 'orders')
const blocks = blocksOf('docs/deploy.md')
let redis: RedisServer

beforeAll(async () => {
  redis = await startRedisServer()
  newProject(context, { name: 'orders', devDependencies: { 'only-in-development': 'file:./tool' } })
  newProject(join(context, 'tool'), { name: 'only-in-development', version: '1.0.0' })
  const { tarball } = await pack(context)
  // As the page says while the package is in no registry.
  await run('npm', ['install', tarball, 'express', 'redis'], { cwd: context, env: outsideOfNpm() })
  writeFileSync(join(context, '.dockerignore'), ['.env.local', '.git', 'node_modules', ''].join('\n'))
  writeFileSync(join(context, '.env.local'), 'COATCHECK_KEYS=of-the-developer\n')
  writeFileSync(join(context, 'server.js'), codeOf('server.js'))
}, 300_000)
afterAll(async () => {
  await redis.stop()
  rmSync(place, { recursive: true, force: true })
})

it('the image of docs/deploy.md holds what it needs, answers its health check and ends by SIGTERM', async () => {
  const dockerfile = codeOf('Dockerfile').replace('package-lock.json ./', 'package-lock.json coatcheck-0.1.0.tgz ./')
  expect(dockerfile).toContain('.tgz')
  const image = await buildImage(dockerfile, context, place, outsideOfNpm())
  expect(image.base).toMatch(/^node:2[2-9]-slim$/)
  expect([image.user, image.port]).toEqual(['node', 3000])
  expect(existsSync(join(image.folder, 'node_modules/coatcheck'))).toBe(true)
  for (const absent of ['.env.local', 'node_modules/only-in-development']) {
    expect(existsSync(join(image.folder, absent)), absent).toBe(false)
  }

  const port = await freePort()
  const env = { PATH: process.env.PATH, ...image.env, ...settings(), PORT: String(port) }
  const isHealthy = async (): Promise<boolean> => {
    const [program = '', ...args] = image.healthCheck.map((word) => word.replace('3000', String(port)))
    return run(program, args, { env: { PATH: process.env.PATH } }).then(
      () => true,
      () => false,
    )
  }
  const [program = '', ...args] = image.command
  const server = spawn(program, args, { cwd: image.folder, env, stdio: ['ignore', 'ignore', 'pipe'] })
  const exited = once(server, 'exit')
  let complaints = ''
  server.stderr.setEncoding('utf8').on('data', (text: string) => (complaints += text))
  try {
    await vi.waitUntil(async () => server.exitCode !== null || (await isHealthy()), { timeout: 120_000, interval: 50 })
    expect(complaints).toBe('')
    expect((await fetch(`http://127.0.0.1:${port}/readyz`)).status).toBe(200)
  } finally {
    server.kill('SIGTERM')
  }
  expect(await exited).toEqual([0, null])
  expect(await isHealthy()).toBe(false)
}, 300_000)

/** Those of the page that every instance needs. */
function settings(): Record<string, string> {
  return {
    COATCHECK_BASE_URL: 'https://app.example',
    COATCHECK_KEYS: randomBytes(32).toString('base64'),
    REDIS_URL: redis.url,
    AZURE_AD_TENANT_ID: '00000000-0000-0000-0000-000000000000',
    AZURE_AD_CLIENT_ID: '11111111-1111-1111-1111-111111111111',
    AZURE_AD_CLIENT_SECRET: 'secret',
  }
}

function codeOf(file: string): string {
  const block = blocks.find((one) => one.file === file)
  if (block === undefined) throw new Error(`docs/deploy.md shows no ${file}`)
  return block.code
}
