/** Commands of operators as processes: what they print, exit codes, confirmation, and being killed on the way. */
import { randomBytes } from 'node:crypto'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createProgram } from '../../src/cli/program.ts'
import { type Coatcheck, coatcheck } from '../../src/app/coatcheck.ts'
import { namesEntryOf } from '../../src/keyring/keyring.ts'
import { redisKeys } from '../../src/stores/keys.ts'
import { redisStore } from '../../src/stores/redis/redis-store.ts'
import { type CommandFolder, commandFolder, type Ended } from '../support/command-line.ts'
import { type RedisServer, startRedisServer } from '../support/redis-server.ts'
import { until } from '../support/redis-topologies.ts'
import { PATIENT } from '../lab/limits.ts'

const OLD = `old:${randomBytes(32).toString('base64')}`
const NEW = `new:${randomBytes(32).toString('base64')}`
const SECRETS = ['access-secret-1', 'refresh-secret-1', 'a private thing', 'ada@example.test']

let server: RedisServer
let at: CommandFolder
let sessionIds: string[] = []
beforeAll(async () => {
  server = await startRedisServer()
  at = commandFolder({ REDIS_URL: server.url, COATCHECK_KEYS: OLD })
  const auth = coatcheck({
    store: redisStore({ ...PATIENT, url: server.url }),
    keys: OLD,
    baseUrl: 'http://localhost:3000',
  })
  const device = { browser: 'Firefox', system: 'Linux', ip: '203.0.113.0/24' }
  const data = { note: 'a private thing' }
  sessionIds = []
  for (const userId of ['ada', 'ada', 'ada@example.test']) {
    const { session } = await auth.sessions.create({ userId, data, device })
    sessionIds.push(session.id ?? '')
  }
  await auth.sessions.create({ data })
  const expiresAt = Date.now() + 3_600_000
  const tokens = { accessToken: 'access-secret-1', refreshToken: 'refresh-secret-1', expiresAt, scopes: ['openid'] }
  await auth.tokens.setUserTokens('ada', tokens, { provider: 'login' })
  await auth.tokens.setUserTokens('grace', tokens, { provider: 'login' })
  await auth.close()
})
afterAll(async () => {
  at.remove()
  await server.stop()
})

const run = async (line: string): Promise<Ended> => {
  const ended = await at.run(line.split(' '))
  for (const secret of SECRETS) if (!line.includes(secret)) expect(ended.stdout + ended.stderr).not.toContain(secret)
  return ended
}
/** One document, which names its command. */
const json = async (line: string): Promise<Record<string, unknown>> => {
  const { stdout } = await run(`${line} --json`)
  const document = JSON.parse(stdout) as Record<string, unknown>
  expect(document).toMatchObject({
    schema: 1,
    command: line
      .split(' ')
      .slice(0, line.startsWith('stats') ? 1 : 2)
      .join(' '),
  })
  return document
}

describe('looking', () => {
  test('a server that is not there: one message, and no line of a log before it', async () => {
    const ended = await at.run(['sessions', 'list', '--user', 'ada', '--url', 'redis://127.0.0.1:1'])
    expect(ended.code).toBe(3)
    expect(ended.stderr).toMatch(/^error: Cannot reach Redis at 127\.0\.0\.1:1: connection refused/)
  })

  test('sessions list: rows for people, epoch ms for programs, 1 when there are none', async () => {
    const people = await run('sessions list --user ada')
    expect(people).toMatchObject({ code: 0, stderr: '2 sessions\n' })
    const [titles, first] = people.stdout.split('\n')
    expect(titles).toBe('SESSION\t\tDEVICE\tIP\tCREATED\tLAST SEEN\tEXPIRES')
    expect(first).toMatch(
      /^[\w.-]{39}\t\*\tFirefox, Linux\t203\.0\.113\.0\/24\t(?:.* ago|now)\t(?:.* ago|now)\tin [78] h/,
    )
    const document = await json('sessions list --user ada')
    expect(document).toMatchObject({ sessions: [{ createdAtMs: expect.any(Number) }, {}] })
    const byKey = await json(`sessions list --user-key ${String(document.userKey)}`)
    expect(byKey.sessions).toEqual(document.sessions)
    expect(await run('sessions list --user nobody')).toMatchObject({ code: 1, stdout: '' })
    expect(await run('sessions list')).toMatchObject({ code: 2, stdout: '' })
  })

  test('sessions show: no data, no address; with --data names and sizes', async () => {
    const plain = await run(`sessions show ${sessionIds[2] ?? ''}`)
    expect(plain.stdout).toContain('an e-mail address, so not shown')
    const withData = await json(`sessions show ${sessionIds[0] ?? ''} --data`)
    expect(withData.session).toMatchObject({ userId: 'ada', fields: [{ in: 'data', name: 'note', bytes: 17 }] })
    expect(await run('sessions show nothing')).toMatchObject({ code: 2 })
    const gone = `${(sessionIds[0] ?? '').slice(0, 17)}${'x'.repeat(22)}`
    expect(await run(`sessions show ${gone}`)).toMatchObject({ code: 1 })
    // The same words as those of explain.
    expect(await json(`sessions show ${gone}`)).toMatchObject({ state: 'unknown', because: 'no-trace', session: null })
  })

  test('sessions count, stats, keys scan and explain, tokens list and show', async () => {
    expect((await run('sessions count --user ada')).stdout).toBe('2\n')
    expect(await json('sessions count')).toMatchObject({
      count: 4,
      isExact: true,
      sessions: { users: 3, anonymous: 1 },
    })
    expect(await json('stats')).toMatchObject({
      isExact: true,
      users: 2,
      devicesPerUser: 1.5,
      servers: { policy: 'noeviction' },
    })
    expect((await run('stats')).stdout).toMatch(/^FAMILY\tKEYS\tMEMORY\tEACH\tWITHOUT TTL$/m)
    expect(await json('keys scan')).toMatchObject({ isWhole: true, foreign: 0 })
    const userKey = (sessionIds[0] ?? '').slice(0, 16)
    expect(await json(`keys explain user:{${userKey}}:gen`)).toMatchObject({ family: 'generations', userKey })
    expect(await run('keys explain nothing')).toMatchObject({ code: 1 })
    expect(await json('tokens list')).toMatchObject({ users: [{ providers: [{ provider: 'login' }] }, {}] })
    expect((await run('tokens show --user ada')).stdout).toMatch(
      /^\(sign-in\)\topenid\tvalid 5\d min.*\tpresent\tnone yet$/m,
    )
    expect(await run('tokens show --user nobody')).toMatchObject({ code: 1 })
  })

  test('live ones, where there is no terminal: a line or a document for each interval', async () => {
    for (const command of ['top', 'stats --watch']) {
      const { stdout, code } = await run(`${command} --interval 0.2 --count 2`)
      expect(code).toBe(0)
      expect(stdout.trim().split('\n')).toHaveLength(3)
      expect(stdout).not.toContain('\u001b')
      const lines = (await run(`${command} --interval 0.2 --count 2 --json`)).stdout.trim().split('\n')
      for (const line of lines)
        expect(JSON.parse(line)).toMatchObject({ schema: 1, activity: { seconds: expect.any(Number) } })
      expect(lines).toHaveLength(2)
    }
    const running = at.start(['top', '--interval', '0.2'])
    await until(async () => running.stdout().split('\n').length > 2)
    running.signal('SIGINT')
    expect((await running.ended).code).toBe(130)
  })
})

describe('ending sessions that the index does not name', () => {
  const keys = redisKeys('')
  let auth: Coatcheck<Record<string, unknown>>
  let userKey: string
  let refs: { readonly id: string; readonly ticket: string }[]
  const alive = async (): Promise<boolean[]> =>
    Promise.all(refs.map(async ({ ticket }) => (await auth.sessions.find(ticket)).session !== null))

  beforeAll(() => {
    auth = coatcheck({
      store: redisStore({ ...PATIENT, url: server.url }),
      keys: OLD,
      baseUrl: 'http://localhost:3000',
    })
  })
  afterAll(() => auth.close())
  beforeEach(async () => {
    refs = []
    for (let i = 0; i < 3; i++) {
      const { session, ticket } = await auth.sessions.create({ userId: 'bob' })
      refs.push({ id: session.id ?? '', ticket })
    }
    userKey = refs[0]?.id.split('.')[0] ?? ''
    const cut = `redis.call('SET', KEYS[1], string.sub(redis.call('GET', KEYS[1]), 1, 8), 'KEEPTTL')`
    await server.cli('eval', cut, '1', keys.generation(userKey))
    expect(await auth.sessions.listByUser('bob')).toEqual([])
    expect(await alive()).toEqual([true, true, true])
  })
  // The records that no index names would be left behind.
  afterEach(async () => {
    const left = (await server.cli('keys', `user:*{${userKey}}*`)).split('\n').filter(Boolean)
    await server.cli('del', ...left)
  })

  test('--all ends them, and says so', async () => {
    expect(await run('sessions revoke --user bob --all --dry-run')).toMatchObject({
      code: 0,
      stdout: 'The index names no session of bob to end. Will end sessions that it does not name.\n',
    })
    expect(await run('sessions revoke --user bob --all')).toMatchObject({ code: 2, stdout: '' })
    expect(await alive()).toEqual([true, true, true])
    const { code, stdout } = await run('sessions revoke --user bob --all --yes')
    expect(stdout).toMatch(/^Ended 0 sessions\.\nSessions of bob that the index does not name have ended too\.\n/)
    expect(code).toBe(0)
    expect(await alive()).toEqual([false, false, false])
  })

  test('--except ends all but that one', async () => {
    const kept = refs[1]?.id ?? ''
    const report = await json(`sessions revoke --user bob --except ${kept} --yes`)
    expect(report).toMatchObject({ dryRun: false, isKnown: true, sessions: 0, ended: 0, remaining: 1 })
    expect(await alive()).toEqual([false, true, false])
  })

  test('a session id ends that session, beside one that the index names', async () => {
    const { session, ticket } = await auth.sessions.create({ userId: 'bob' })
    refs.push({ id: session.id ?? '', ticket })
    const { code, stdout } = await run(`sessions revoke ${refs[1]?.id ?? ''} --yes`)
    expect([code, stdout.split('\n')[0]]).toEqual([0, 'Ended 1 session.'])
    expect(await alive()).toEqual([true, false, true, true])
  })

  test('--all ends sessions whose records the keys of the operator do not open', async () => {
    await server.cli('del', keys.generation(userKey))
    refs = []
    const { session, ticket } = await auth.sessions.create({ userId: 'bob' })
    refs.push({ id: session.id ?? '', ticket })
    const COATCHECK_KEYS = `${NEW},${namesEntryOf(OLD)}`
    const { code, stdout } = await at.run(['sessions', 'revoke', '--user', 'bob', '--all', '--yes'], { COATCHECK_KEYS })
    expect([code, stdout.split('\n')[0]]).toEqual([0, 'Ended 1 session.'])
    expect(await alive()).toEqual([false])
  })

  test('of a user whom the store does not know there is none: exit code 1', async () => {
    expect(await run('sessions revoke --user typo --all --yes')).toMatchObject({
      code: 1,
      stdout: 'No session of typo to end.\n',
    })
    expect(await run('sessions revoke --user typo --all --dry-run')).toMatchObject({ code: 1 })
  })
})

describe('ending', () => {
  test('says before what will happen, asks for --yes, says after what goes on being valid', async () => {
    const dry = await run('sessions revoke --user ada --all --dry-run')
    expect(dry).toMatchObject({ code: 0, stdout: 'Will end 2 sessions and delete 2 token records of ada.\n' })
    expect(await run('sessions revoke --user ada --all')).toMatchObject({ code: 2, stdout: '' })
    expect(await run('sessions revoke --user ada')).toMatchObject({ code: 2, stdout: '' })
    expect((await run('sessions count --user ada')).stdout).toBe('2\n')
    const kept = sessionIds[1] ?? ''
    const but = await json(`sessions revoke --user ada --except ${kept} --reason laptop-lost --yes`)
    expect(but).toMatchObject({ ended: 1, remaining: 1, tokenRecords: 0, durable: false })
    expect((await run(`sessions show ${sessionIds[0] ?? ''}`)).stdout).toMatch(
      /^ended .*\n\nIt was ended with the reason "laptop-lost"\.$/m,
    )
    const last = await run(`sessions revoke ${kept} --yes`)
    expect(last.stdout).toMatch(
      /^Ended 1 session\.\n.*not configured\.\nAccess tokens already handed to APIs stay valid until 20/,
    )
    const once = await run(`sessions revoke ${kept} --yes`)
    expect(once).toMatchObject({ code: 1, stdout: `No session of ${kept} to end.\n` })
    expect(await run('tokens show --user ada')).toMatchObject({ code: 1 })
  })

  test('tokens revoke deletes them; tokens refresh without a provider says so', async () => {
    expect(await run('tokens refresh --user grace --provider login')).toMatchObject({ code: 5 })
    expect(await json('tokens revoke --user grace --provider login --dry-run')).toMatchObject({
      grants: 1,
      accessTokens: 1,
    })
    expect(await json('tokens revoke --user grace --yes')).toMatchObject({ deleted: 2 })
    expect(await run('tokens show --user grace')).toMatchObject({ code: 1 })
  })
})

describe('keys', () => {
  test('add prints the new entry and that of the names, and nothing of the old one', async () => {
    const added = await json('keys add --id next')
    expect(added).toMatchObject({ id: 'next', idsNow: ['old'], namesEntry: namesEntryOf(OLD) })
    expect(JSON.stringify(added)).not.toContain(OLD.slice(4))
    const ring = [added.entry, OLD, added.namesEntry].join(',')
    const { stdout } = await at.run(['keys', 'add', '--json'], { COATCHECK_KEYS: ring })
    expect(JSON.parse(stdout)).toMatchObject({ namesEntry: null, idsNow: ['next', 'old'] })
    expect((await at.run(['keys', 'add'], { COATCHECK_KEYS: '' })).code).toBe(6)
  })

  test('rotate, killed and interrupted on the way, finishes when it is run again', async () => {
    const own = await startRedisServer()
    const url = own.url
    const auth = coatcheck({ store: redisStore({ ...PATIENT, url }), keys: OLD, baseUrl: 'http://localhost:3000' })
    const users = 1500
    await Promise.all(Array.from({ length: users }, (_, i) => auth.sessions.create({ userId: `user-${i}` })))
    await auth.close()
    const env = { REDIS_URL: url, COATCHECK_KEYS: [NEW, OLD, namesEntryOf(OLD)].join(',') }
    const reencrypted = async (): Promise<number> =>
      Number(/cmdstat_setrange:calls=(\d+)/.exec(await own.cli('info', 'commandstats'))?.[1] ?? 0)
    const rotate = ['keys', 'rotate', '--yes', '--json']
    for (const [signal, from] of [
      ['SIGKILL', 100],
      ['SIGINT', 500],
    ] as const) {
      const running = at.start(rotate, env)
      await until(async () => (await reencrypted()) >= from)
      running.signal(signal)
      const { code, stdout } = await running.ended
      expect(code).toBe(signal === 'SIGKILL' ? null : 130)
      if (signal === 'SIGINT') expect(JSON.parse(stdout)).toMatchObject({ isDone: false })
      expect(await reencrypted()).toBeLessThan(users)
    }
    const done = await reencrypted()
    const { code, stdout } = await at.run(rotate, env)
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({ isDone: true, reencrypted: users - done })
    const people = await at.run(['keys', 'rotate', '--dry-run'], env)
    expect(people.stdout).toMatch(/^new\tseals\t1,500\t1,500 sessions\nold\topens\t0\t$/m)
    expect(people.stdout).toContain('Key old seals nothing any more. Take it out 1 d after')
    await own.stop()
  }, 300_000)

  test('repair has nothing to do where all is well', async () => {
    expect((await run('keys repair --dry-run')).stdout).toMatch(/Nothing was left behind\.\n$/)
    expect(await run('keys repair')).toMatchObject({ code: 2 })
    expect(await run('keys repair --yes')).toMatchObject({ code: 0 })
  })
})

test('every command says what it is for, with an example', () => {
  const texts: string[] = []
  const sink = { isTerminal: false, hasColour: false, columns: 100, write: (text: string) => void texts.push(text) }
  const input = async function* (): AsyncIterable<string> {}
  const terminal = {
    input,
    stdout: sink,
    stderr: sink,
    isInteractive: false,
    folder: '.',
    onInterrupt: () => () => undefined,
  }
  const program = createProgram(terminal, () => undefined)
  const groups = program.commands.filter(({ commands }) => commands.length > 0)
  const all = groups.flatMap((group) => group.commands.map((command) => [group.name(), command] as const))
  expect(all.length).toBeGreaterThan(12)
  for (const [group, command] of all) {
    texts.length = 0
    command.outputHelp()
    expect(texts.join('')).toContain(`$ coatcheck ${group} ${command.name()}`)
  }
})

test('a session id that begins with a hyphen, as one in 64 does, is no flag', async () => {
  const store = redisStore({ ...PATIENT, url: server.url })
  const auth = coatcheck({ store, keys: OLD, baseUrl: 'http://localhost:3000' })
  let id = ''
  let userId = ''
  for (let i = 0; !id.startsWith('-'); i++) {
    userId = `hyphen-${i}`
    id = (await auth.sessions.create({ userId })).session.id ?? ''
    if (!id.startsWith('-')) await auth.sessions.revoke(id)
  }
  const { session: other } = await auth.sessions.create({ userId })
  await auth.close()
  for (const line of [`sessions show ${id}`, `sessions show --data ${id}`, `explain ${id}`]) {
    expect(await run(line)).toMatchObject({ code: 0, stdout: expect.stringContaining('live') as string })
  }
  expect((await run(`sessions revoke --user ${userId} --except ${id} --yes`)).code).toBe(0)
  expect((await run(`sessions show ${other.id ?? ''}`)).code).toBe(1)
  expect((await run(`sessions revoke ${id} --yes`)).code).toBe(0)
  expect((await run(`sessions show ${id}`)).code).toBe(1)
})
