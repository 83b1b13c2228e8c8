/** `coatcheck migrate tokens` as a process, on what the guide's `TokenCache` stored, and from the origin that a module exports. */
import { randomBytes } from 'node:crypto'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { coatcheck } from '../../src/app/coatcheck.ts'
import { oidc } from '../../src/oidc/provider.ts'
import { redisStore } from '../../src/stores/redis/redis-store.ts'
import { PATIENT } from '../lab/limits.ts'
import { type CommandFolder, commandFolder, type Ended } from '../support/command-line.ts'
import { type RedisServer, startRedisServer } from '../support/redis-server.ts'

const KEYS = `k1:${randomBytes(32).toString('base64')}`
const LOGIN = { name: 'login', issuer: 'https://login.example.test', clientId: 'app', clientSecret: 'of-a-test-only' }
const dist = (name: string): string => pathToFileURL(resolve(import.meta.dirname, `../../dist/entries/${name}.js`)).href

let server: RedisServer
let at: CommandFolder
beforeAll(async () => {
  server = await startRedisServer()
})
beforeEach(() => {
  at = commandFolder({ REDIS_URL: server.url, COATCHECK_KEYS: KEYS, REDIS_COMMAND_TIMEOUT_MS: '3000' })
  const provider = JSON.stringify(LOGIN)
  at.write(
    'coatcheck.config.mjs',
    `import { oidc } from '${dist('coatcheck')}'\nexport default { providers: [oidc(${provider})] }\n`,
  )
})
afterEach(async () => {
  at.remove()
  await server.cli('flushall')
})
afterAll(() => server.stop())

const migrate = async (...args: readonly string[]): Promise<Ended> => {
  const ended = await at.run(['migrate', 'tokens', ...args])
  expect(ended.stdout + ended.stderr).not.toMatch(/-of-ada|-of-grace/)
  return ended
}
const json = async (...args: readonly string[]): Promise<Record<string, unknown>> =>
  JSON.parse((await migrate(...args, '--json')).stdout) as Record<string, unknown>

async function guideTokens(...users: readonly string[]): Promise<void> {
  for (const user of users) {
    const tokens = {
      accessToken: `access-of-${user}`,
      refreshToken: `refresh-of-${user}`,
      expiresAt: Date.now() + 3_600_000,
    }
    await server.cli('set', `user:${user}:tokens`, JSON.stringify(tokens), 'ex', '3600')
  }
}
/** What the new application finds, by user. */
async function accessTokens(...users: readonly string[]): Promise<(string | null | undefined)[]> {
  const store = redisStore({ ...PATIENT, url: server.url })
  const auth = coatcheck({ store, keys: KEYS, baseUrl: 'http://localhost:3000', providers: [oidc(LOGIN)] })
  try {
    return await Promise.all(users.map(async (user) => (await auth.tokens.getUserTokens(user))?.accessToken))
  } finally {
    await auth.close()
  }
}

test('a dry run counts and changes nothing; a run adopts each user once', async () => {
  await guideTokens('ada', 'grace')
  await server.cli('set', 'user:edsger:tokens', 'nothing of use', 'ex', '600')
  expect(await json('--from', 'guide')).toMatchObject({
    ...{ command: 'migrate tokens', dryRun: true },
    families: [{ family: 'user:*:tokens', keys: 3, unreadable: 1 }],
  })
  expect(await accessTokens('ada', 'grace')).toEqual([undefined, undefined])

  const first = await migrate('--from', 'guide', '--write')
  expect(first).toMatchObject({ code: 7, stderr: '' })
  expect(first.stdout).toMatch(
    /Adopted the tokens of 2 users, as tokens of the provider login\.\n1 value could not be read/,
  )
  expect(await accessTokens('ada', 'grace')).toEqual(['access-of-ada', 'access-of-grace'])

  const again = await json('--from', 'guide', '--write', '--mode', 'move', '--yes')
  expect(again).toMatchObject({ users: 3, outcomes: { present: 2, unreadable: 1 }, isDone: true })
  // The run in mode `read` left the values that it adopted. In `move` nothing uses them.
  expect(await server.cli('exists', 'user:ada:tokens')).toBe('0')
  expect(await server.cli('get', 'user:edsger:tokens')).toBe('nothing of use')
})

test('move removes what it adopts; another key and another Redis can be named', async () => {
  const other = await startRedisServer()
  try {
    const tokens = JSON.stringify({ accessToken: 'access-of-ada', expiresAt: Math.floor(Date.now() / 1000) + 600 })
    await other.cli('set', 'cache:ada', tokens)
    const from = ['--from', 'guide', '--old-key', 'cache:<id>', '--old-url', other.url]
    expect(await json(...from)).toMatchObject({ families: [{ family: 'cache:*', keys: 1, lives: { none: 1 } }] })
    expect(await json(...from, '--mode', 'move', '--write', '--yes')).toMatchObject({
      users: 1,
      outcomes: { adopted: 1 },
    })
    expect(await other.cli('dbsize')).toBe('0')
    expect(await accessTokens('ada')).toEqual(['access-of-ada'])
  } finally {
    await other.stop()
  }
})

test('a look says what it examined, what --write does, and the command that does it', async () => {
  await guideTokens('ada', 'grace')
  await server.cli('set', 'user:edsger:tokens', 'nothing of use', 'ex', '600')
  const look = await migrate('--from', 'guide', '--old-key', 'user:<id>:tokens', '--mode', 'move')
  expect(look.stdout.trimEnd().split('\n').slice(-4)).toEqual([
    '1 value that cannot be read: --write leaves them alone, and ends with exit code 7.',
    'Examined 3 old keys of guide-tokens. Nothing was changed.',
    'With --write, the command adopts the tokens of each user who has none in Coatcheck, and removes the old values that it has adopted.',
    "Next: npx coatcheck migrate tokens --from guide --old-key 'user:<id>:tokens' --mode move --write",
  ])
  const next = /Next: npx coatcheck (.*)$/m.exec(look.stdout)?.[1]?.replaceAll("'", '').split(' ') ?? []
  expect(await at.run([...next, '--yes'])).toMatchObject({ code: 7, stderr: '' })
  expect(await accessTokens('ada', 'grace')).toEqual(['access-of-ada', 'access-of-grace'])
})

test('the next command names what the run would refuse to do without', async () => {
  await guideTokens('ada')
  at.write('coatcheck.config.mjs', 'export default {}\n')
  const guide = await migrate('--from', 'guide')
  expect(guide.stdout).toMatch(/Replace <name> by the name of the provider.*\nNext: .* --provider '<name>' --write\n$/)

  await server.cli('set', 'msal:ada', '{}', 'ex', '600')
  const msal = await migrate('--from', 'msal', '--old-key', 'msal:<id>')
  expect(msal.stdout).toMatch(
    /In mode read the old caches decide, and --write is refused\..*\nNext: .* --old-key 'msal:<id>' --mode move --write\n$/,
  )
})

test('announces no development defaults of the application', async () => {
  await guideTokens('ada')
  const env = { COATCHECK_BASE_URL: 'http://localhost:3000' }
  const ended = await at.run(['migrate', 'tokens', '--from', 'guide', '--write'], env)
  expect([ended.code, ended.stderr]).toEqual([0, ''])
})

test('a module exports the origin', async () => {
  await guideTokens('ada')
  at.write(
    'token-origin.mjs',
    `import { fromGuideTokens } from '${dist('migrate')}'\nexport const origin = fromGuideTokens({ mode: 'move' })\n`,
  )
  expect(await json('--module', 'token-origin.mjs')).toMatchObject({ dryRun: true, families: [{ keys: 1 }] })
  expect(await json('--module', 'token-origin.mjs', '--write', '--yes')).toMatchObject({ outcomes: { adopted: 1 } })
  expect(await server.cli('exists', 'user:ada:tokens')).toBe('0')
})

test('without a provider in the configuration, --write refuses and keeps the old keys; --provider names it', async () => {
  await guideTokens('ada')
  at.write('coatcheck.config.mjs', 'export default {}\n')
  const move = ['--from', 'guide', '--mode', 'move', '--write', '--yes']
  const refused = await migrate(...move)
  expect([refused.code, refused.stdout]).toEqual([2, ''])
  expect(refused.stderr).toMatch(/unknown which provider issued the tokens.*--provider/s)
  expect(await server.cli('exists', 'user:ada:tokens')).toBe('1')

  const ended = await migrate(...move, '--provider', LOGIN.name)
  expect(ended.stdout).toMatch(/Adopted the tokens of 1 user, as tokens of the provider login\./)
  expect(await accessTokens('ada')).toEqual(['access-of-ada'])
  expect(await server.cli('exists', 'user:ada:tokens')).toBe('0')
})

test('a module whose origin names no provider takes that of --provider', async () => {
  await guideTokens('ada')
  at.write('coatcheck.config.mjs', 'export default {}\n')
  at.write(
    'token-origin.mjs',
    `import { fromGuideTokens } from '${dist('migrate')}'\nexport const origin = fromGuideTokens({ mode: 'move' })\n`,
  )
  expect((await migrate('--module', 'token-origin.mjs', '--write')).code).toBe(2)
  expect(await server.cli('exists', 'user:ada:tokens')).toBe('1')
  const args = ['--module', 'token-origin.mjs', '--write', '--yes', '--provider', LOGIN.name]
  expect(await json(...args)).toMatchObject({ provider: LOGIN.name, outcomes: { adopted: 1 } })
  expect(await accessTokens('ada')).toEqual(['access-of-ada'])
})

test.each([
  [[], /Which tokens\?.*--module/],
  [['--from', 'guide', '--module', 'x.mjs'], /Which tokens\?/],
  [['--module', 'empty.mjs'], /does not export an origin of tokens: export const origin = fromMsal/],
])('%j: wrong use, with what to write', async (args, says) => {
  at.write('empty.mjs', 'export const nothing = 1\n')
  const ended = await migrate(...args)
  expect([ended.code, ended.stdout]).toEqual([2, ''])
  expect(ended.stderr).toMatch(says)
})
