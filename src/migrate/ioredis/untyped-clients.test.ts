/** Small projects whose clients the type checker cannot see: what is certain is rewritten, what may be a client is marked, nothing else. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { migrateIoredis } from './migrate.ts'

const MARK = '// mark'

interface Case {
  readonly title: string
  /** Path → text. `// mark` stands where a mark of the code `untyped-client` has to be. */
  readonly before: Readonly<Record<string, string>>
  readonly after: Readonly<Record<string, string>>
}

const CASES: readonly Case[] = [
  {
    title: 'follows a field of an object literal into another file',
    before: {
      'db.js':
        "const Redis = require('ioredis')\nconst db = { client: null }\nrequire('./hash')(db)\ndb.client = new Redis()\n",
      'hash.js': 'module.exports = (db) => {\n  db.read = (key) => db.client.hgetall(key)\n}\n',
    },
    after: {
      'hash.js':
        "const { command } = require('./redis-from-ioredis.cjs')\n\nmodule.exports = (db) => {\n  db.read = (key) => command(db.client, 'hgetall', key)\n}\n",
    },
  },
  {
    title: 'follows the promise that a function makes',
    before: {
      'connect.js':
        "const Redis = require('ioredis')\nexports.connect = () => new Promise((resolve) => {\n  const client = new Redis()\n  client.on('ready', () => resolve(client))\n})\n",
      'use.js':
        "const { connect } = require('./connect')\nconst store = {}\nexports.open = async () => {\n  store.redis = await connect()\n}\nexports.read = (key) => store.redis.hgetall(key)\n",
    },
    after: {
      'use.js':
        "const { connect } = require('./connect')\nconst { command } = require('./redis-from-ioredis.cjs')\nconst store = {}\nexports.open = async () => {\n  store.redis = await connect()\n}\nexports.read = (key) => command(store.redis, 'hgetall', key)\n",
    },
  },
  {
    title: 'follows a field of the type any, and keeps replies that are any',
    before: {
      'service.ts':
        "import Redis from 'ioredis'\n\nexport class Service {\n  private client: any\n  constructor() {\n    this.client = new Redis()\n  }\n  async read(key: string): Promise<number> {\n    const all = await this.client.hgetall(key)\n    return all.count\n  }\n}\n",
    },
    after: {
      'service.ts':
        "import { command, createRedis } from './redis-from-ioredis'\n\nexport class Service {\n  private client: any\n  constructor() {\n    this.client = createRedis()\n  }\n  async read(key: string): Promise<number> {\n    const all = await command<any>(this.client, 'hgetall', key)\n    return all.count\n  }\n}\n",
    },
  },
  {
    title: 'follows constructor functions, and require in TypeScript',
    before: {
      'redis.js': "const Redis = require('ioredis')\nmodule.exports = { client: new Redis(), prefix: 'a' }\n",
      'cache.js':
        "const { client } = require('./redis')\nfunction Cache(connection) {\n  this.connection = connection\n}\nCache.prototype.all = function (key) {\n  return this.connection.hgetall(key)\n}\nmodule.exports = new Cache(client)\n",
      'use.ts': "const { client } = require('./redis')\nexport const all = (key: string) => client.hgetall(key)\n",
    },
    after: {
      'cache.js':
        "const { client } = require('./redis')\nconst { command } = require('./redis-from-ioredis.cjs')\nfunction Cache(connection) {\n  this.connection = connection\n}\nCache.prototype.all = function (key) {\n  return command(this.connection, 'hgetall', key)\n}\nmodule.exports = new Cache(client)\n",
      'use.ts':
        "const { client } = require('./redis')\nimport { command } from './redis-from-ioredis'\nexport const all = (key: string) => command<any>(client, 'hgetall', key)\n",
    },
  },
  {
    title: 'writes an import into modules that import nothing',
    before: {
      'redis.js': "import Redis from 'ioredis'\nexport const client = new Redis()\n",
      'all.js': "export const all = (client) => client.hgetall('a')\n",
      'len.mjs': "const len = (client) => client.hgetall('b')\nglobalThis.len = len\n",
      'use.js':
        "import { client } from './redis.js'\nimport { all } from './all.js'\nexport const run = () => all(client)\nglobalThis.len(client)\n",
    },
    after: {
      'all.js':
        "import { command } from './redis-from-ioredis.mjs'\n\nexport const all = (client) => command(client, 'hgetall', 'a')\n",
      'len.mjs':
        "import { command } from './redis-from-ioredis.mjs'\n\nconst len = (client) => command(client, 'hgetall', 'b')\nglobalThis.len = len\n",
    },
  },
  {
    title: 'knows a client that is all a CommonJS module exports',
    before: {
      'redis.js': "const Redis = require('ioredis')\nmodule.exports = new Redis()\n",
      'cluster.js': "const { Cluster } = require('ioredis')\nmodule.exports = new Cluster([])\n",
      'class.js': "module.exports = require('ioredis')\n",
      'use.js':
        "const redis = require('./redis')\nconst cluster = require('./cluster')\nexports.all = (key) => redis.hgetall(key)\nexports.other = (key) => cluster.hgetall(key)\n",
    },
    after: {
      'use.js':
        "const redis = require('./redis')\nconst cluster = require('./cluster')\nconst { command } = require('./redis-from-ioredis.cjs')\nexports.all = (key) => command(redis, 'hgetall', key)\nexports.other = (key) => command(cluster, 'hgetall', key)\n",
    },
  },
  {
    title: 'follows a property of the global object',
    before: {
      'start.js': "const Redis = require('ioredis')\nglobal.redis = new Redis()\n",
      'use.js': 'exports.all = (key) => global.redis.hgetall(key)\nexports.same = (key) => redis.hgetall(key)\n',
    },
    after: {
      'use.js':
        "const { command } = require('./redis-from-ioredis.cjs')\n\nexports.all = (key) => command(global.redis, 'hgetall', key)\nexports.same = (key) => command(redis, 'hgetall', key)\n",
    },
  },
  {
    title: 'marks calls on what a package may hold',
    before: {
      'app.js':
        "const express = require('express')\nconst Redis = require('ioredis')\nconst app = express()\nconst client = new Redis()\napp.locals.redis = client\napp.set('cache', client)\napp.use((req, res, next) => {\n  req.redis = client\n  next()\n})\n",
      'routes.js':
        "module.exports = (app) => {\n  app.get('/', async (req, res) => {\n    // mark\n    const a = await req.redis.get('a')\n    // mark\n    const b = await req.app.locals.redis.get('b')\n    // mark\n    const c = await req.app.get('cache').get('c')\n    res.json({ a, b, c, d: req.get('host'), e: req.query.get('e') })\n  })\n}\n",
    },
    after: {},
  },
  {
    title: 'marks this.redis of a mixin, and what a plugin gives the framework',
    before: {
      'plugin.js':
        "const fastifyRedis = require('@fastify/redis')\nconst Redis = require('ioredis')\nmodule.exports = (fastify) => fastify.register(fastifyRedis, { url: 'redis://x' })\nclass Base {}\nBase.prototype.redis = new Redis()\n",
      'mixin.js': 'module.exports = {\n  load(key) {\n    // mark\n    return this.redis.get(key)\n  },\n}\n',
      'routes.js':
        "module.exports = async (fastify) => {\n  // mark\n  fastify.get('/', async () => fastify.redis.get('a'))\n}\n",
    },
    after: {},
  },
  {
    title: 'follows aliases of module-alias and of jsconfig.json',
    before: {
      'package.json': '{ "_moduleAliases": { "@config": "src/config" } }',
      'jsconfig.json': '{ "compilerOptions": { "paths": { "#db/*": ["./src/config/*"] } } }',
      'src/config/redis.js': "const Redis = require('ioredis')\nmodule.exports = new Redis()\n",
      'one.js': "const redis = require('@config/redis')\nexports.all = (key) => redis.hgetall(key)\n",
      'two.js': "const redis = require('#db/redis')\nexports.all = (key) => redis.hgetall(key)\n",
    },
    after: {
      'package.json': '{ "_moduleAliases": { "@config": "src/config" }, "dependencies": { "redis": "^6.3.1" } }',
      'one.js':
        "const redis = require('@config/redis')\nconst { command } = require('./redis-from-ioredis.cjs')\nexports.all = (key) => command(redis, 'hgetall', key)\n",
      'two.js':
        "const redis = require('#db/redis')\nconst { command } = require('./redis-from-ioredis.cjs')\nexports.all = (key) => command(redis, 'hgetall', key)\n",
    },
  },
  {
    title: 'marks what an alias that it cannot read may bring',
    before: {
      'src/config/redis.js': "const Redis = require('ioredis')\nmodule.exports = new Redis()\n",
      'src/config/index.js': "exports.redis = require('./redis')\n",
      'one.js': "const redis = require('@config/redis')\n// mark\nexports.read = (key) => redis.get(key)\n",
      'two.js': "const { redis } = require('@config')\n// mark\nexports.read = (key) => redis.get(key)\n",
      'three.js':
        "const axios = require('axios')\nconst { get } = require('lodash')\nexports.read = (key) => [axios.get(key), get(key)]\n",
    },
    after: {},
  },
  {
    title: 'marks a client that may be a double',
    before: {
      'cache.js': "exports.read = function (client) {\n  // mark\n  return client.get('a')\n}\n",
      'use.js':
        "const Redis = require('ioredis')\nconst { read } = require('./cache')\nread(new Redis())\nread({ get: async () => 'a' })\n",
    },
    after: {},
  },
  {
    title: 'leaves alone what is no client',
    before: {
      'redis.js': "const Redis = require('ioredis')\nexports.client = new Redis()\n",
      'other.js':
        "const axios = require('axios')\nconst knex = require('knex')({ client: 'pg' })\nconst cache = new Map()\nconst api = { client: axios.create() }\nconst store = { data: {}, get(key) { return this.data[key] }, hgetall() { return this.data } }\nexports.run = async (options) => {\n  cache.set('a', await axios.get('/a'))\n  await api.client.get('/b')\n  await knex.client.acquireConnection()\n  options.headers.get('x')\n  store.hgetall()\n  return [cache.get('a'), store.get('b'), options.set('c', 1)]\n}\n",
    },
    after: {},
  },
]

const results = new Map<string, string>()
let cwd = ''

const pathOf = (at: number, name: string): string => join(cwd, `case-${at}`, name)
const withoutMarks = (text: string): string => text.replace(/^ *\/\/ mark\n/gm, '')

beforeAll(async () => {
  cwd = mkdtempSync(join(tmpdir(), 'coatcheck-codemod-'))
  for (const [at, { before }] of CASES.entries()) {
    for (const [name, text] of Object.entries({ 'package.json': '{}', ...before })) {
      mkdirSync(dirname(pathOf(at, name)), { recursive: true })
      writeFileSync(pathOf(at, name), withoutMarks(text))
    }
    await migrateIoredis({ cwd: dirname(pathOf(at, 'x')), paths: [], target: 6, mode: 'write' })
    for (const name of Object.keys(before)) results.set(`${at} ${name}`, readFileSync(pathOf(at, name), 'utf8'))
  }
})

afterAll(() => rmSync(cwd, { recursive: true, force: true }))

test.each(CASES.map((one, at) => ({ ...one, at })))('$title', ({ at, before, after }) => {
  for (const [name, text] of Object.entries(before)) {
    const result = results.get(`${at} ${name}`) ?? ''
    const expected = after[name]
    if (expected !== undefined) expect(result, name).toBe(expected)
    else if (!/ioredis['/]/.test(text)) {
      const marked = result.replace(/\/\/ coatcheck-codemod-error untyped-client: .*/g, MARK)
      expect(marked, name).toBe(text)
    }
  }
})

test('a second run leaves alone what an earlier run gave a type of the generated file', async () => {
  const folder = join(cwd, 'twice')
  mkdirSync(folder)
  writeFileSync(join(folder, 'package.json'), '{}')
  writeFileSync(
    join(folder, 'use.ts'),
    "import { Redis } from 'ioredis'\n\nexport const client = new Redis({ sentinels: [{ host: 'a' }], name: 'main' })\nexport const count = (client: Redis) => client.incr('k')\n",
  )
  const run = async (): Promise<string> => {
    await migrateIoredis({ cwd: folder, paths: [], target: 6, mode: 'write' })
    return readFileSync(join(folder, 'use.ts'), 'utf8')
  }
  const once = await run()
  expect(await run()).toBe(once)
})
