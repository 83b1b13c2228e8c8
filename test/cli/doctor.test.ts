/** `coatcheck doctor` as a command: exit codes, text and document, nothing secret in either. Faults one by one: test/integration/doctor-*. */
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { searchFor } from '../support/canaries.ts'
import { type CommandFolder, commandFolder, type Ended } from '../support/command-line.ts'
import { createHealthWorld, HEALTHY_ARGUMENTS, type HealthWorld } from '../support/health-world.ts'
import { freePort, startRedisServer } from '../support/redis-server.ts'

let world: HealthWorld
const folders: CommandFolder[] = []
beforeAll(async () => {
  world = await createHealthWorld()
})
afterAll(async () => {
  for (const made of folders) made.remove()
  await world.close()
})

/** As the healthy application is configured: secrets in the environment, the rest in a file. */
function folder(over: Readonly<Record<string, string>> = {}): CommandFolder {
  const { redis, password, key, provider } = world
  const made = commandFolder({
    REDIS_URL: redis.url,
    REDIS_USERNAME: 'coatcheck',
    REDIS_PASSWORD: password,
    COATCHECK_KEYS: `k1:${key}`,
    CLIENT_SECRET: provider.clientSecret,
    ISSUER: provider.issuer,
    ...over,
  })
  made.write(
    'coatcheck.config.ts',
    `const { ISSUER: issuer, CLIENT_SECRET: clientSecret } = process.env
     export default {
       baseUrl: '${world.options().baseUrl ?? ''}',
       providers: [{ preset: 'oidc', name: 'dev', clientId: '${provider.clientId}', issuer, clientSecret }],
     }\n`,
  )
  folders.push(made)
  return made
}

function expectNoSecret({ stdout, stderr }: Ended, ...more: readonly string[]): void {
  const search = searchFor([...world.secrets, ...more.map((value) => ({ kind: 'of this test', value }))])
  expect(search.find('output', stdout + stderr)).toEqual([])
}

describe('a healthy set-up', () => {
  test('0, also with --strict, and a friendly sentence', async () => {
    const ended = await folder().run(['doctor', '--strict'])
    expect(ended).toMatchObject({ code: 0, stderr: '' })
    for (const group of ['Configuration', 'Redis', 'Identity provider', 'Data']) {
      expect(ended.stdout).toMatch(new RegExp(`^${group}$`, 'm'))
    }
    expect(ended.stdout).not.toMatch(/[✖⚠]/)
    expect(ended.stdout).toMatch(/\n\nAll is well\..*\n$/)
    expectNoSecret(ended)
  })

  test('one document with --json', async () => {
    const ended = await folder().run(['doctor', '--json', '--offline'])
    expect(ended).toMatchObject({ code: 0, stderr: '' })
    const document = JSON.parse(ended.stdout) as { readonly checks: readonly { readonly state: string }[] }
    expect(document).toMatchObject({
      schema: 1,
      command: 'doctor',
      configFile: 'coatcheck.config.ts',
      problems: 0,
      warnings: 0,
      cause: null,
    })
    expect(document.checks.length).toBeGreaterThan(10)
    expectNoSecret(ended)
  })
})

describe('exit codes', () => {
  test.each<[string, () => Promise<Record<string, string>> | Record<string, string>, number, string]>([
    ['wrong password', () => ({ REDIS_PASSWORD: 'not-the-password-at-all' }), 4, 'COATCHECK_REDIS_AUTH'],
    [
      'wrong port',
      async () => ({ REDIS_URL: `redis://127.0.0.1:${await freePort()}` }),
      3,
      'COATCHECK_REDIS_UNREACHABLE',
    ],
    ['unescaped URL', () => ({ REDIS_URL: 'redis://:not-the-p@ssword#1@127.0.0.1' }), 6, 'DOCTOR_URL_UNESCAPED'],
    [
      'a key that is none',
      () => ({ COATCHECK_KEYS: 'not-the-key-at-all-but-long-enough' }),
      6,
      'COATCHECK_KEY_INVALID',
    ],
    ['wrong secret', () => ({ CLIENT_SECRET: 'not-the-secret-at-all' }), 5, 'COATCHECK_OIDC_CLIENT_REJECTED'],
    ['no provider', async () => ({ ISSUER: `http://127.0.0.1:${await freePort()}` }), 5, 'COATCHECK_OIDC_DISCOVERY'],
  ])('%s', async (_fault, over, code, name) => {
    const environment = await over()
    const ended = await folder(environment).run(['doctor'])
    expect(ended.code).toBe(code)
    const [, problems] = /(\d+) problems?, \d+ warnings?/.exec(ended.stdout) ?? []
    expect(problems).toBe('1')
    expect(ended.stdout).toContain('✖')
    expect(ended.stdout).toContain('fix: ')
    expect(ended.stdout).toContain(`More: coatcheck explain ${name}`)
    expectNoSecret(ended, ...Object.values(environment).filter((value) => value.startsWith('not-')), 'not-the-p@ssword')
  })

  test('1 for a policy that deletes sessions', async () => {
    const server = await startRedisServer({ args: [...HEALTHY_ARGUMENTS, '--maxmemory-policy', 'allkeys-lru'] })
    try {
      const ended = await folder({ REDIS_URL: server.url, REDIS_USERNAME: '', REDIS_PASSWORD: '' }).run(['doctor'])
      expect(ended.code).toBe(1)
      expect(ended.stdout).toContain('1 problem, 1 warning.')
      expect(ended.stdout).toContain('DOCTOR_EVICTION_POLICY')
    } finally {
      await server.stop()
    }
  })

  test('0 for warnings, 1 with --strict', async () => {
    const at = folder({ REDIS_USERNAME: '', REDIS_PASSWORD: '' })
    expect((await at.run(['doctor', '--offline'])).code).toBe(0)
    const strict = await at.run(['doctor', '--offline', '--strict'])
    expect(strict.code).toBe(1)
    expect(strict.stdout).toContain('DOCTOR_ACL_WIDE')
  })

  test('6 for a configuration file that cannot be used', async () => {
    const at = folder()
    at.write('coatcheck.config.ts', `export default { sesion: {} }\n`)
    const ended = await at.run(['doctor'])
    expect(ended.code).toBe(6)
    expect(ended.stdout).toContain('COATCHECK_CONFIG_UNKNOWN_OPTION')
  })
})

test('a client in the configuration file is looked at, and does not keep the command from ending', async () => {
  const at = folder()
  const urlOf = (path: string): string => pathToFileURL(resolve(import.meta.dirname, '../..', path)).href
  at.write(
    'coatcheck.config.mjs',
    `import { createClient } from '${urlOf('node_modules/redis/dist/index.js')}'
     import { redisStore } from '${urlOf('dist/entries/redis.js')}'
     const { REDIS_URL: url, REDIS_USERNAME: username, REDIS_PASSWORD: password } = process.env
     export default { baseUrl: 'http://localhost:3000', store: redisStore({ client: createClient({ url, username, password, debug: true }) }) }\n`,
  )
  const ended = await at.run(['doctor', '--offline', '--config', 'coatcheck.config.mjs'])
  expect(ended.code).toBe(0)
  expect(ended.stdout).toMatch(/⚠ Redis client +debug/)
  expectNoSecret(ended)
})
