/** Small projects whose tests replace a client, or the module that makes it: each double is marked, nothing else. */
import { testMarks, type MarkedProject } from '../../../test/codemod/marked-projects.ts'

const CLIENT_TS =
  "import Redis from 'ioredis'\n\nlet client: Redis | null = null\nexport const getRedis = (): Redis => (client ??= new Redis())\nexport const PREFIX = 'app:'\nexport const isBlocked = async (id: string) => (await getRedis().sismember('blocked', id)) === 1\n"
const CLIENT_JS = "const Redis = require('ioredis')\nmodule.exports = new Redis()\n"
const SERVICE =
  "import type { Redis } from 'ioredis'\n\nexport class Service {\n  constructor(readonly redis: Redis) {}\n  read(key: string) {\n    return this.redis.hgetall(key)\n  }\n}\n"
const GLOBALS =
  'declare const jest: any, vi: any, sinon: any, proxyquire: any, Test: any, app: any\ndeclare const Inject: any\n'

const CASES: readonly MarkedProject[] = [
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
  {
    title: 'marks configurations that map ioredis to a double, by any pattern',
    files: {
      'redis.use.js': CLIENT_JS,
      'jest.config.js':
        "module.exports = {\n  moduleNameMapper: {\n    // mark mocked-module\n    '^ioredis(.*)$': '<rootDir>/fake.js',\n    // mark mocked-module\n    ioredis: '<rootDir>/fake.js',\n    '^axios$': '<rootDir>/axios.js',\n    '^@/(.*)$': '<rootDir>/src/$1',\n  },\n}\n",
      'jest.e2e.config.ts':
        "export default {\n  projects: [\n    {\n      moduleNameMapper: {\n        // mark mocked-module\n        '^ioredis/?': './fake.js',\n      },\n    },\n  ],\n}\n",
      'vitest.config.ts':
        "export default {\n  resolve: {\n    // mark mocked-module\n    alias: [{ find: 'ioredis', replacement: './fake.js' }],\n  },\n  test: {\n    // mark mocked-module\n    alias: { ioredis: './fake.js', '@': './src' },\n  },\n}\n",
      'webpack.config.js':
        "module.exports = {\n  resolve: {\n    alias: [\n      // mark mocked-module\n      { find: /^ioredis$/, replacement: './fake.js' },\n    ],\n  },\n  externals: ['ioredis'],\n}\n",
    },
  },
]

testMarks(CASES)
