/** What all commands have in common: help, exit codes, where output goes, where configuration comes from. */
import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type CommandFolder, commandFolder } from '../support/command-line.ts'
import { type RedisServer, startRedisServer } from '../support/redis-server.ts'

let server: RedisServer
const folders: CommandFolder[] = []
function folder(env: Record<string, string> = {}): CommandFolder {
  const made = commandFolder(env)
  folders.push(made)
  return made
}

beforeAll(async () => {
  server = await startRedisServer()
})
afterAll(async () => {
  for (const made of folders) made.remove()
  await server.stop()
})

describe('words', () => {
  test.each([
    [['--help'], 0, /Commands:/],
    [['ping', '--help'], 0, /Examples:/],
    [['--version'], 0, /^\d+\.\d+\.\d+/],
  ])('%j is help, on stdout', async (args, code, text) => {
    const ended = await folder().run(args)
    expect(ended).toMatchObject({ code, stderr: '' })
    expect(ended.stdout).toMatch(text)
  })

  test.each([[['nothing-like-it']], [['ping', '--nothing-like-it']], [['ping', '--count', 'many']]])(
    '%j is a wrong use: 2, and nothing on stdout',
    async (args) => {
      const ended = await folder().run(args)
      expect(ended).toMatchObject({ code: 2, stdout: '' })
      expect(ended.stderr).toContain('error:')
    },
  )
})

describe('exit codes', () => {
  test('0 when Redis answers: a row for people, a document for programs', async () => {
    const at = folder({ REDIS_URL: server.url })
    const people = await at.run(['ping', '--count', '3'])
    expect(people).toMatchObject({ code: 0, stderr: '' })
    expect(people.stdout.split('\n')[0]).toBe('SERVER\tPINGS\tMIN\tP50\tP95\tP99\tMAX')
    const { stdout } = await at.run(['ping', '--count', '3', '--json'])
    expect(JSON.parse(stdout)).toMatchObject({ schema: 1, command: 'ping', servers: [{ count: 3 }] })
  })

  test.each([
    ['3, nothing listens', { REDIS_URL: 'redis://127.0.0.1:1' }, 3, 'COATCHECK_REDIS_UNREACHABLE'],
    ['6, no Redis is configured', {}, 6, 'COATCHECK_STORE_REQUIRED'],
    ['6, the URL is none', { REDIS_URL: 'localhost:6379' }, 6, 'COATCHECK_CONFIG_INVALID'],
  ])('%s', async (_what, env, code, name) => {
    const ended = await folder(env).run(['ping', '--json'])
    expect(ended.code).toBe(code)
    expect(JSON.parse(ended.stdout)).toMatchObject({ schema: 1, command: 'ping', error: { code: name } })
    expect(ended.stderr).toContain(name)
  })

  test('4, Redis refuses the password, which nothing shows', async () => {
    const password = randomBytes(12).toString('hex')
    const locked = await startRedisServer({ args: ['--requirepass', password] })
    try {
      const wrong = folder({ REDIS_URL: locked.url, REDIS_PASSWORD: 'not-it-at-all' })
      const ended = await wrong.run(['ping'])
      expect(ended.code).toBe(4)
      expect(ended.stderr).toContain('COATCHECK_REDIS_AUTH')
      expect(ended.stderr + ended.stdout).not.toContain('not-it-at-all')
    } finally {
      await locked.stop()
    }
  })
})

describe('configuration', () => {
  test('flag, environment, .env.local, .env, in this order', async () => {
    const nowhere = 'redis://127.0.0.1:1'
    const at = folder()
    at.write('.env', `REDIS_URL=${server.url}\n`)
    expect((await at.run(['ping', '--count', '1'])).code).toBe(0)
    at.write('.env.local', `REDIS_URL=${nowhere}\n`)
    expect((await at.run(['ping', '--count', '1'])).code).toBe(3)
    expect((await at.run(['ping', '--count', '1'], { REDIS_URL: server.url })).code).toBe(0)
    expect((await at.run(['ping', '--count', '1', '--url', server.url])).code).toBe(0)
    expect((await at.run(['ping', '--count', '1', '--env', '.env'])).code).toBe(0)
    expect((await at.run(['ping', '--count', '1', '--env', '.env.other'])).code).toBe(6)
  })

  test.each(['coatcheck.config.ts', 'coatcheck.config.mjs'])('%s', async (name) => {
    const at = folder({ REDIS_URL: server.url })
    at.write(name, `export default { prefix: 'p:', session: { idleTimeout: '1h' } }\n`)
    expect((await at.run(['ping', '--count', '1'])).code).toBe(0)
    at.write(name, `export default { prefix: 'p:', sesion: {} }\n`)
    const ended = await at.run(['ping', '--count', '1'])
    expect(ended.code).toBe(6)
    expect(ended.stderr).toContain('COATCHECK_CONFIG_UNKNOWN_OPTION')
    at.write(name, `throw new Error('not today')\n`)
    expect((await at.run(['ping'])).stderr).toContain('not today')
  })

  test('a flag takes no password', async () => {
    const ended = await folder().run(['ping', '--url', 'redis://user:hidden-word@127.0.0.1:1'])
    expect(ended.code).toBe(6)
    expect(ended.stderr).not.toContain('hidden-word')
  })
})
