/** Another library has put something on `Object.prototype`: it is no user, no session data, no claim and no option. */
import assert from 'node:assert'
import { randomUUID } from 'node:crypto'
import { createServer, get } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { inspect } from 'node:util'
import { afterEach, describe, expect, it } from 'vitest'
import * as z from 'zod'
import { nodeAuth } from '../../src/adapters/node.ts'
import { type Coatcheck, coatcheck } from '../../src/app/coatcheck.ts'
import { resolveConfig } from '../../src/config/resolve.ts'
import type { Options } from '../../src/config/types.ts'
import { own, parseJson } from '../../src/core/json.ts'
import { memoryStore } from '../../src/stores/memory/memory-store.ts'
import { oidc } from '../../src/oidc/provider.ts'
import { redisStore } from '../../src/stores/redis/redis-store.ts'

const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

function authOf<D extends object = Record<string, unknown>>(options: Options<D> = {}): Coatcheck<D> {
  const auth = coatcheck<D>({
    baseUrl: 'http://localhost:3000',
    store: memoryStore({ name: randomUUID() }),
    ...options,
  })
  closing.push(() => auth.close())
  return auth
}

async function polluted<T>(values: Readonly<Record<string, unknown>>, run: () => T | Promise<T>): Promise<T> {
  Object.assign(Object.prototype, values)
  try {
    return await run()
  } finally {
    for (const name of Object.keys(values)) delete (Object.prototype as Record<string, unknown>)[name]
  }
}

const ask = (path: string, ticket?: string): Request =>
  new Request(
    `http://localhost:3000${path}`,
    ticket === undefined ? {} : { headers: { cookie: `coatcheck=${ticket}` } },
  )

describe('a user', () => {
  it('is nobody without a session, and with a session of a visitor', async () => {
    const auth = authOf()
    const { ticket } = await auth.sessions.create({ data: { theme: 'dark' } })
    await polluted({ userId: 'admin', id: 'admin', user: { id: 'admin' } }, async () => {
      expect((await auth.handler(ask('/auth/session'))).status).toBe(401)
      expect((await auth.handler(ask('/auth/session', ticket))).status).toBe(401)
      const found = await auth.sessions.find(ticket)
      expect(found.session?.user).toBeNull()
      expect(found.session?.toJSON().user).toBeNull()
      const created = await auth.sessions.create({ data: { theme: 'light' } })
      expect(created.session.user).toBeNull()
    })
  })

  it('has the claims of the sign-in and no others', async () => {
    const auth = authOf()
    const { ticket, session } = await auth.sessions.signIn(null, { userId: 'ada', profile: { name: 'Ada' } })
    await polluted({ roles: ['admin'], sid: 'x', profile: { roles: ['admin'] }, carry: ['theme'] }, async () => {
      expect(session.user?.['roles']).toBeUndefined()
      expect((await auth.sessions.find(ticket)).session?.user?.['roles']).toBeUndefined()
      expect(session.toJSON().user?.['roles']).toBeUndefined()
      const other = await auth.sessions.signIn(null, { userId: 'grace' })
      expect(other.session.toJSON().user).toEqual({ id: 'grace' })
    })
    expect(session.user?.['constructor']).toBeUndefined()
  })
})

describe('session data', () => {
  it('holds what was stored, and nothing that every object has', async () => {
    const { session } = await authOf().sessions.create({ data: { cart: { items: [{ id: 'a' }] } } })
    for (const name of ['constructor', 'toString', 'hasOwnProperty', '__proto__', 'isAdmin']) {
      await polluted({ isAdmin: true }, () => {
        expect(session.get(name)).toBeUndefined()
        expect((session.data['cart'] as Record<string, unknown>)[name]).toBeUndefined()
        expect(session.toJSON().data[name]).toBeUndefined()
      })
    }
  })

  it('a draft and a schema see no inherited field, and store none', async () => {
    const schema = z.object({
      role: z.string().optional(),
      nested: z.object({ role: z.string().optional() }).optional(),
    })
    const auth = authOf({ session: { schema } })
    await polluted({ role: 'admin' }, async () => {
      const { ticket, session } = await auth.sessions.create({ data: { nested: {} } })
      await session.update((draft) => expect(draft.role).toBeUndefined())
      expect((await auth.sessions.find(ticket)).session?.data).toEqual({ nested: {} })
      expect(JSON.stringify(session)).not.toContain('admin')
    })
  })

  it('works with what people do to objects', async () => {
    const value = { theme: 'dark', cart: { items: [{ id: 'a', qty: 1 }], note: null } }
    const { session } = await authOf().sessions.create({ data: value })
    expect(session.data).toEqual(value)
    expect(JSON.stringify(session.data)).toBe(JSON.stringify(value))
    expect({ ...session.data }).toEqual(value)
    expect(Object.entries(session.data)).toHaveLength(2)
    expect(structuredClone(session.toJSON().data)).toStrictEqual(value)
    expect(inspect(session.data, { depth: 5 })).toContain("theme: 'dark'")
    assert.deepEqual(session.data, value)
    expect(Object.hasOwn(session.data, 'theme')).toBe(true)
    expect(JSON.stringify(session.toJSON())).toContain('"theme":"dark"')
  })
})

describe('an option', () => {
  it('that is inherited was not given', async () => {
    const secret = 'redis://:hunter2@redis.example'
    await polluted({ allowPlaintext: true, REDIS_ALLOW_PLAINTEXT: 'true' }, () => {
      expect(() => redisStore({ url: secret }).inspect()).toThrow('sends a password to redis.example without TLS')
    })
    const env = { REDIS_URL: 'redis://localhost', COATCHECK_KEYS: 'x' }
    const pollution = { baseUrl: 'http://localhost', NODE_ENV: 'development', COATCHECK_BASE_URL: 'http://localhost' }
    await polluted(pollution, () => {
      expect(() => resolveConfig({}, env)).toThrow('Option baseUrl (or COATCHECK_BASE_URL) has no value')
    })
    const provider = oidc({ name: 'dev', issuer: 'https://id.example', clientId: 'app' })
    const options = { baseUrl: 'https://app.example', providers: [provider] }
    const clean = resolveConfig(options, env)
    const nested = {
      maxPerUser: 1,
      onUnavailable: 'anonymous',
      sameSite: 'none',
      name: 'x',
      clientSecret: 'y',
      scopes: [],
    }
    await polluted(nested, () => {
      expect(JSON.stringify(resolveConfig(options, env))).toBe(JSON.stringify(clean))
    })
  })

  it('a cookie of a request and an attribute of a cookie neither', async () => {
    const auth = authOf()
    const web = nodeAuth(auth)
    const { ticket } = await auth.sessions.signIn(null, { userId: 'attacker' })
    const server = createServer((request, response) => {
      void (async () => {
        if (request.url === '/in') await (await web.getVisit(request, response)).signIn({ userId: 'ada' })
        response.end(JSON.stringify((await web.getSession(request, response)).user?.id ?? null))
      })()
    })
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
    closing.push(() => server.close())
    const { port } = server.address() as AddressInfo
    const answer = (path: string): Promise<readonly [string, readonly string[]]> =>
      new Promise((resolve, reject) => {
        const headers = { host: 'localhost:3000' }
        const sent = get({ host: '127.0.0.1', port, path, headers, agent: false }, (response) => {
          void text(response).then((body) => resolve([body, response.headers['set-cookie'] ?? []]), reject)
        })
        sent.on('error', reject)
      })
    const cookie = `coatcheck=${ticket}`
    await polluted({ cookie, domain: 'evil.example', partitioned: true }, async () => {
      expect(await answer('/')).toEqual(['null', []])
      const [user, [sent = '']] = await answer('/in')
      expect([user, sent.replace(/=[^;]+/, '=')]).toEqual([
        '"ada"',
        'coatcheck=; Max-Age=86400; Path=/; HttpOnly; SameSite=Lax',
      ])
    })
  })

  it('of an adapter neither', async () => {
    const auth = authOf()
    await polluted({ clientIp: () => '203.0.113.9' }, async () => {
      const request = { url: '/auth/session', method: 'GET', headers: {}, socket: { remoteAddress: '127.0.0.1' } }
      const status = await new Promise((resolve, reject) => {
        const response = {
          setHeader: () => undefined,
          getHeader: () => undefined,
          end: () => resolve(response.statusCode),
          write: () => true,
          once: () => undefined,
          on: () => undefined,
          statusCode: 0,
        }
        nodeAuth(auth)
          .handle(request as never, response as never)
          .catch(reject)
      })
      expect(status).toBe(401)
    })
  })
})

it('parsed JSON has no prototype at any depth, and an object on Object.prototype keeps its own', async () => {
  const planted = { deep: {} }
  const value = (await polluted({ planted }, () => parseJson('{"a":[{"b":{"__proto__":{"x":1}}}],"c":null}'))) as never
  expect(Object.getPrototypeOf(value)).toBeNull()
  expect(Object.getPrototypeOf(value['a'][0]['b'])).toBeNull()
  expect(Object.getPrototypeOf(planted)).toBe(Object.prototype)
  expect(Object.getPrototypeOf(value['a'])).toBe(Array.prototype)
  expect(Object.getPrototypeOf(own({ a: 1 }))).toBeNull()
})
