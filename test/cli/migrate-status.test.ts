/** `coatcheck migrate status` as a process: what it prints before a report, and for a prefix under which nothing was found. */
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { type CommandFolder, commandFolder } from '../support/command-line.ts'
import { type RedisServer, startRedisServer } from '../support/redis-server.ts'

const DAY_MS = 24 * 3_600_000

let server: RedisServer
let at: CommandFolder
beforeAll(async () => {
  server = await startRedisServer()
  at = commandFolder({ REDIS_URL: server.url })
})
afterEach(() => server.cli('flushall'))
afterAll(async () => {
  at.remove()
  await server.stop()
})

/** A process in mode `move` that began to report at this time, and has reported now. */
const reported = async (sinceMs: number, ...facts: readonly string[]): Promise<void> => {
  const origin = ['since|connect-redis', String(sinceMs), 'prefix|connect-redis', 'sess:']
  await server.cli('hset', 'migration:reads', ...origin, 'mode|connect-redis|move', String(Date.now()), ...facts)
}
const status = async (): Promise<string> => {
  const { code, stdout } = await at.run(['migrate', 'status'])
  expect(code).toBe(0)
  return stdout
}

it('without a report, says what to compare', async () => {
  expect(await status()).toMatch(/No process has reported migrateFrom or adopt.*REDIS_PREFIX/s)
})

it.each([
  ['a minute', 60_000, /next: no process has found an old record yet\. Compare the prefix.*old application\.$/m],
  ['eight days', 8 * DAY_MS, /Compare the prefix .* If they are right, remove migrateFrom\.$/m],
])('where nothing was found for %s, it asks for a comparison', async (_name, agoMs, text) => {
  await reported(Date.now() - agoMs)
  expect(await status()).toMatch(text)
})

it('where old records were found and no old key is left, the option can go', async () => {
  await reported(Date.now() - 60_000, 'read|connect-redis', String(Date.now()))
  expect(await status()).toMatch(/next: remove migrateFrom\. Nothing needs it any more\.$/m)
})
