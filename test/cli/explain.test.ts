/** `coatcheck explain` as a process: what is shown where, exit codes, and that nothing that was put in comes out again. */
import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { coatcheck } from '../../src/app/coatcheck.ts'
import { DOCS_URL } from '../../src/core/links.ts'
import { redisStore } from '../../src/stores/redis/redis-store.ts'
import { type CommandFolder, commandFolder } from '../support/command-line.ts'
import { type RedisServer, startRedisServer } from '../support/redis-server.ts'

let folder: CommandFolder
beforeAll(() => {
  folder = commandFolder()
})
afterAll(() => folder.remove())

describe('codes and texts', () => {
  test.each([
    ['COATCHECK_REDIS_OOM', 'RedisError · HTTP 503', 'Raise maxmemory'],
    ['AADSTS700082', 'not used for too long', 'signs in again'],
    ['WRONGPASS invalid username-password pair', 'redis-cli -u "$REDIS_URL" ACL WHOAMI', 'COATCHECK_REDIS_AUTH'],
  ])('%s', async (asked, ...texts) => {
    const ended = await folder.run(['explain', asked])
    expect(ended).toMatchObject({ code: 0, stderr: '' })
    for (const text of texts) expect(ended.stdout).toContain(text)
    // Without quotes too.
    expect(await folder.run(['explain', ...asked.split(' ')])).toEqual(ended)
  })

  test('as a document', async () => {
    const { code, stdout } = await folder.run(['explain', 'WRONGPASS', '--json'])
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({
      schema: 1,
      command: 'explain',
      found: [
        { name: 'WRONGPASS', kind: 'text', related: ['COATCHECK_REDIS_AUTH'], docs: `${DOCS_URL}/errors.md#wrongpass` },
      ],
      nearest: [],
    })
  })

  test('nothing known: 1, the nearest, and the text itself is not shown', async () => {
    const ended = await folder.run(['explain', 'REDIS_OOMM'])
    expect(ended).toMatchObject({ code: 1, stdout: '' })
    expect(ended.stderr).toContain('COATCHECK_REDIS_OOM')
    const { code, stdout } = await folder.run(['explain', 'REDIS_OOMM', '--json'])
    expect(code).toBe(1)
    expect(JSON.parse(stdout)).toMatchObject({
      found: [],
      nearest: expect.arrayContaining(['COATCHECK_REDIS_OOM']) as unknown,
    })
    const ticket = randomBytes(73).toString('base64url')
    const pasted = await folder.run(['explain', '--', ticket])
    expect(pasted.stderr).toContain('ticket')
    expect(pasted.stdout + pasted.stderr).not.toContain(ticket)
  })

  test('wrong use: 2', async () => {
    expect((await folder.run(['explain'])).code).toBe(2)
    expect((await folder.run(['explain', '--jsn', 'OOM'])).code).toBe(2)
  })
})

describe('a log on stdin', () => {
  const secret = randomBytes(16).toString('hex')
  const log = `${secret} AADSTS700082\nOOM command not allowed ${secret}\nAADSTS700082\nAADSTS99999\n`

  test('says what is known, most frequent first, and repeats none of it', async () => {
    const ended = await folder.run(['explain', '-'], {}, log)
    expect(ended.code).toBe(0)
    expect(ended.stdout.split('\n').map((line) => line.split('\t').slice(0, 2))).toEqual([
      ['LINES', 'WHAT'],
      ['2', 'AADSTS700082'],
      ['1', 'OOM'],
      [''],
    ])
    expect(ended.stderr).toContain('Not known here: AADSTS99999')
    const { stdout } = await folder.run(['explain', '-', '--json'], {}, log)
    expect(JSON.parse(stdout)).toMatchObject({
      lines: 4,
      found: [
        { name: 'AADSTS700082', lines: 2 },
        { name: 'OOM', lines: 1 },
      ],
      unknownCodes: ['AADSTS99999'],
    })
    expect(ended.stdout + ended.stderr + stdout).not.toContain(secret)
  })

  test('nothing known: 1', async () => {
    expect(await folder.run(['explain', '-'], {}, 'all is well\n')).toMatchObject({ code: 1, stdout: '' })
  })

  test('Ctrl-C while it waits for more: 130', async () => {
    const running = folder.start(['explain', '-'], {}, 'piped')
    // It has begun to read when it has taken more than lies on the way.
    running.write('x\n'.repeat(1_000_000))
    await vi.waitFor(() => expect(running.pending()).toBe(0), 120_000)
    running.signal('SIGINT')
    expect((await running.ended).code).toBe(130)
  })
})

describe('a session', () => {
  let server: RedisServer
  const keys = randomBytes(32).toString('base64')
  beforeAll(async () => {
    server = await startRedisServer()
  })
  afterAll(() => server.stop())

  test('live, ended, lost; with keys and without; never its data', async () => {
    const word = randomBytes(8).toString('hex')
    const auth = coatcheck({
      store: redisStore({ url: server.url, commandTimeoutMs: 10_000, writeTimeoutMs: 10_000 }),
      keys,
    })
    try {
      const env = { REDIS_URL: server.url, COATCHECK_KEYS: keys, COATCHECK_BASE_URL: 'https://app.example' }
      const { ticket, session } = await auth.sessions.create({ userId: `ada-${word}`, data: { word } })
      const id = session.id ?? ''
      const live = await folder.run(['explain', id], env)
      expect(live).toMatchObject({ code: 0, stderr: '' })
      expect(live.stdout).toMatch(/^live {2}\(user session\)[^]*created {3}20/)
      const withoutKeys = await folder.run(['explain', id], { REDIS_URL: server.url })
      expect(withoutKeys.code).toBe(0)
      expect(withoutKeys.stdout).toContain('live')
      expect(withoutKeys.stderr).toContain('COATCHECK_KEYS')

      await auth.sessions.revoke(id, 'laptop lost')
      const ended = await folder.run(['explain', id, '--json'], env)
      expect(ended.code).toBe(0)
      expect(JSON.parse(ended.stdout)).toMatchObject({
        command: 'explain',
        session: {
          sessionId: id,
          state: 'ended',
          because: 'reason',
          reason: 'laptop lost',
          times: null,
          reasonsKeptForMs: 3_600_000,
        },
      })
      const unknown = await folder.run(['explain', `${'-'.repeat(16)}.${'-'.repeat(22)}`], env)
      expect(unknown.code).toBe(1)
      expect(unknown.stdout).toMatch(/^unknown/)
      for (const { stdout, stderr } of [live, withoutKeys, ended]) {
        for (const hidden of [word, ticket, keys]) expect(stdout + stderr).not.toContain(hidden)
      }
    } finally {
      await auth.close()
    }
  })

  test('Redis that cannot be asked: 3', async () => {
    const id = `${'a'.repeat(16)}.${'b'.repeat(22)}`
    expect((await folder.run(['explain', id], { REDIS_URL: 'redis://127.0.0.1:1', COATCHECK_KEYS: keys })).code).toBe(3)
  })
})
