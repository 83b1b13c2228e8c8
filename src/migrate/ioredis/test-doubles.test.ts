/** Small projects whose tests replace a client, or the module that makes it: each double is marked, nothing else. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { migrateIoredis } from './migrate.ts'

const CLIENT_TS =
  "import Redis from 'ioredis'\n\nlet client: Redis | null = null\nexport const getRedis = (): Redis => (client ??= new Redis())\nexport const PREFIX = 'app:'\nexport const isBlocked = async (id: string) => (await getRedis().sismember('blocked', id)) === 1\n"
const CLIENT_JS = "const Redis = require('ioredis')\nmodule.exports = new Redis()\n"
const SERVICE =
  "import type { Redis } from 'ioredis'\n\nexport class Service {\n  constructor(readonly redis: Redis) {}\n  read(key: string) {\n    return this.redis.hgetall(key)\n  }\n}\n"
const GLOBALS =
  'declare const jest: any, vi: any, sinon: any, proxyquire: any, Test: any, app: any\ndeclare const Inject: any\n'

interface Case {
  readonly title: string
  /** Path → text. `// mark <code>` stands where a mark has to be. Files of the type `.use.ts` only make the project whole. */
  readonly files: Readonly<Record<string, string>>
}

const CASES: readonly Case[] = [
  {
    title: 'marks a mock of a module that hands out a client',
    files: {
      'redis.use.ts': CLIENT_TS,
      'a.test.ts': `${GLOBALS}// mark client-double\njest.mock('./redis.use', () => ({ getRedis: jest.fn(() => ({ hgetall: jest.fn() })) }))\n`,
      'b.test.ts': `${GLOBALS}// mark client-double\nvi.mock(import('./redis.use.js'), async (original: any) => ({ ...(await original()), getRedis: vi.fn() }))\n`,
      'c.test.ts': `${GLOBALS}// mark client-double\njest.mock('./redis.use')\n// mark client-double\njest.doMock('@/redis.use', () => {\n  const fake = { get: jest.fn() }\n  return { __esModule: true, getRedis: () => fake }\n})\n`,
    },
  },
  {
    title: 'leaves alone a mock that replaces no client',
    files: {
      'redis.use.ts': CLIENT_TS,
      'mail.ts': 'export const send = (to: string) => to\n',
      'a.test.ts': `${GLOBALS}jest.mock('./redis.use', () => ({ isBlocked: jest.fn(async () => true), PREFIX: 'test:' }))\njest.mock('./mail')\njest.mock('axios')\njest.requireActual('./redis.use')\n`,
    },
  },
  {
    title: 'marks mocks of a CommonJS module that is a client',
    files: {
      'redis.use.js': CLIENT_JS,
      'cache.use.js': "const redis = require('./redis.use')\nexports.read = (key) => redis.get(key)\n",
      'test/a.test.js':
        "// mark client-double\njest.mock('../redis.use', () => ({ get: jest.fn() }))\nconst proxyquire = require('proxyquire')\n// mark client-double\nproxyquire('../cache.use', { './redis.use': { get: async () => '1' } })\n// mark mocked-module\nproxyquire.noCallThru()('../redis.use', { ioredis: class {} })\nproxyquire('../cache.use', { './other': {} })\n",
    },
  },
  {
    title: 'marks files that Jest takes in place of a module',
    files: {
      'src/redis.use.js': CLIENT_JS,
      'src/mail.js': 'exports.send = () => 1\n',
      'src/__mocks__/redis.use.js': '// mark client-double\nmodule.exports = { get: jest.fn() }\n',
      'src/__mocks__/mail.js': 'module.exports = { send: jest.fn() }\n',
      '__mocks__/ioredis.js': '// mark mocked-module\nmodule.exports = class Redis {\n  get() {}\n}\n',
      '__mocks__/axios.js': 'module.exports = { get: jest.fn() }\n',
    },
  },
  {
    title: 'marks mock.module of Bun and Node',
    files: {
      'redis.use.ts': CLIENT_TS,
      'a.test.ts':
        "declare const mock: any\n// mark mocked-module\nmock.module('ioredis', () => ({ default: class {} }))\n// mark client-double\nmock.module('./redis.use', { namedExports: { getRedis: () => ({}) } })\n",
    },
  },
  {
    title: 'marks what is asserted to be a client and is none',
    files: {
      'service.use.ts': SERVICE,
      'a.test.ts': `import type { Redis } from './types.use'\nimport { Service } from './service.use'\n${GLOBALS}const double = { hgetall: jest.fn() }\nclass Memory {\n  async hgetall() {\n    return {}\n  }\n}\n// mark client-double\nexport const one = new Service(double as any)\n// mark client-double\nexport const two = new Service(double as unknown as Redis)\n// mark client-double\nexport const three: Redis = <Redis>(<unknown>new Memory())\n// mark client-double\nexport const four = new Proxy({} as Redis, {})\n`,
      'types.use.ts': "export type { Redis } from 'ioredis'\n",
    },
  },
  {
    title: 'leaves alone what may be a client, and what holds one',
    files: {
      'types.use.ts': "export type { Redis } from 'ioredis'\n",
      'service.use.ts': SERVICE,
      'a.ts':
        "import type { Redis } from './types.use'\nimport { Service } from './service.use'\nconst shared = globalThis as unknown as { redis?: Redis }\nexport const one = (value: unknown) => new Service(value as Redis)\nexport const two = new Service(shared.redis as Redis)\nexport const three = (services: any) => new Service(services.redis as Redis)\n",
    },
  },
  {
    title: 'marks doubles that a container injects in place of a client',
    files: {
      'service.use.ts':
        "import { Inject } from '@nestjs/common'\nimport { Redis } from 'ioredis'\n\nexport const TOKEN = 'REDIS'\nexport class Service {\n  constructor(@Inject(TOKEN) readonly redis: Redis, @Inject('CONFIG') readonly config: { port: number }) {}\n}\n",
      'a.test.ts': `import { TOKEN } from './service.use'\n${GLOBALS}const double = { get: jest.fn() }\nexport const providers = [\n  // mark client-double\n  { provide: TOKEN, useValue: double },\n  // mark client-double\n  { provide: TOKEN, useFactory: () => ({ get: jest.fn() }) },\n  { provide: 'CONFIG', useValue: { port: 1 } },\n]\n// mark client-double\nTest.createTestingModule({ providers }).overrideProvider(TOKEN).useValue(double)\nTest.createTestingModule({ providers }).overrideProvider('CONFIG').useValue({ port: 2 })\n`,
    },
  },
  {
    title: 'marks doubles that a type describes',
    files: {
      'types.use.ts': "export type { Redis } from 'ioredis'\n",
      'a.test.ts': `import type { Redis as Client } from './types.use'\ndeclare function mockDeep<T>(): any\ndeclare namespace jest {\n  type Mocked<T> = T\n}\n// mark client-double\nlet redis: jest.Mocked<Client>\n// mark client-double\nexport const deep = mockDeep<Client>()\n`,
    },
  },
]

const results = new Map<string, string>()
let cwd = ''

const pathOf = (at: number, name: string): string => join(cwd, `case-${at}`, name)
const withoutMarks = (text: string): string => text.replace(/^ *\/\/ mark .*\n/gm, '')

beforeAll(async () => {
  cwd = mkdtempSync(join(tmpdir(), 'coatcheck-codemod-'))
  for (const [at, { files }] of CASES.entries()) {
    for (const [name, text] of Object.entries({ 'package.json': '{}', ...files })) {
      mkdirSync(dirname(pathOf(at, name)), { recursive: true })
      writeFileSync(pathOf(at, name), withoutMarks(text))
    }
    await migrateIoredis({ cwd: dirname(pathOf(at, 'x')), paths: [], target: 6, mode: 'write' })
    for (const name of Object.keys(files)) results.set(`${at} ${name}`, readFileSync(pathOf(at, name), 'utf8'))
  }
})

afterAll(() => rmSync(cwd, { recursive: true, force: true }))

test.each(CASES.map((one, at) => ({ ...one, at })))('$title', ({ at, files }) => {
  for (const [name, text] of Object.entries(files)) {
    if (name.includes('.use.')) continue
    const result = results.get(`${at} ${name}`) ?? ''
    const found = result.split('\n').map((line) => line.replace(/coatcheck-codemod-error ([\w-]+): .*/, 'mark $1'))
    expect(found.join('\n'), name).toBe(text)
  }
})

test('a second run changes nothing', async () => {
  for (const at of CASES.keys()) {
    const { files } = await migrateIoredis({ cwd: join(cwd, `case-${at}`), paths: [], target: 6, mode: 'dry-run' })
    for (const { path, before, after } of files) expect(after, path).toBe(before)
  }
})
