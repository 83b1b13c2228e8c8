/**
 * `coatcheck/authjs` under @auth/core and next-auth 4: a real sign-in at the local identity provider, then what the adapter
 * promises beyond Auth.js' contract.
 */
import { randomBytes, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import type { Server } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { join, resolve } from 'node:path'
import { Auth, type AuthConfig } from '@auth/core'
import { parseCookie } from 'cookie'
import express, { type RequestHandler } from 'express'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { CoatcheckAdapter } from '../../src/app/drop-ins/authjs.ts'
import { type DevProvider, startDevProvider } from '../../src/dev/dev-provider.ts'
import { upstashAdapter } from '../../src/entries/migrate.ts'
import { redisStore } from '../../src/stores/redis/redis-store.ts'
import { type RedisServer, startRedisServer } from '../support/redis-server.ts'

let redis: RedisServer
let idp: DevProvider
let servers: Server[]
let adapter: CoatcheckAdapter

const keys = randomBytes(32).toString('base64')
const options = (mode: 'read' | 'move' | null) => ({
  store: redisStore({ url: redis.url }),
  keys,
  ...(mode && { migrateFrom: upstashAdapter({ mode }) }),
})

beforeAll(async () => {
  redis = await startRedisServer({ args: ['--rdbcompression', 'no'] })
  servers = [express().listen(0, '127.0.0.1'), express().listen(0, '127.0.0.1')]
  for (const server of servers) if (!server.listening) await once(server, 'listening')
  idp = await startDevProvider({
    redirectUris: servers.flatMap((server) => [`${originOf(server)}/api/auth/callback/dev`]),
  })
})
afterAll(async () => {
  for (const server of servers) {
    server.closeAllConnections()
    server.close()
  }
  await Promise.all([idp.close(), redis.stop()])
})
beforeEach(async () => {
  await redis.cli('flushall')
})

function originOf(server: Server | undefined): string {
  return `http://127.0.0.1:${(server?.address() as AddressInfo).port}`
}

/** Cookies of all origins in one jar, redirects followed by hand. */
function browser() {
  const jar = new Map<string, string>()
  const go = async (url: string, init: RequestInit = {}): Promise<Response> => {
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ')
    const response = await fetch(url, {
      redirect: 'manual',
      ...init,
      headers: { accept: 'text/html', cookie },
    })
    for (const line of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
      if (value === '' || /max-age=0\b/i.test(line)) jar.delete(name)
      else jar.set(name, value)
    }
    return response
  }
  const follow = async (response: Response, from: string): Promise<Response> => {
    let [current, url] = [response, from]
    for (let hops = 0; hops < 15; hops++) {
      const location = current.headers.get('location')
      if (!location) return current
      url = new URL(location, url).href
      current = await go(url)
    }
    throw new Error('redirects in circles')
  }
  return { jar, go, follow }
}

const providerOptions = () => ({
  id: 'dev',
  name: 'dev',
  clientId: idp.clientId,
  clientSecret: idp.clientSecret,
  issuer: idp.issuer,
  wellKnown: `${idp.issuer}/.well-known/openid-configuration`,
  authorization: { params: { scope: 'openid profile email', login_hint: 'ada@example.test' } },
})

function authCore(origin: string): RequestHandler {
  const config: AuthConfig = {
    adapter,
    basePath: '/api/auth',
    secret: 'a secret of the test',
    trustHost: true,
    session: { strategy: 'database' },
    providers: [{ ...providerOptions(), type: 'oidc', checks: ['pkce', 'state'] }],
  }
  return (request, response, next) => {
    const run = async (): Promise<void> => {
      const body = request.method === 'POST' ? new URLSearchParams(request.body as Record<string, string>) : null
      const headers = new Headers(request.headers as Record<string, string>)
      headers.delete('content-length')
      const answer = await Auth(
        new Request(new URL(request.originalUrl, origin), { method: request.method, headers, ...(body && { body }) }),
        config,
      )
      response.status(answer.status)
      answer.headers.forEach((value, name) => {
        if (name !== 'set-cookie') response.setHeader(name, value)
      })
      for (const line of answer.headers.getSetCookie()) response.append('set-cookie', line)
      response.send(await answer.text())
    }
    run().catch(next)
  }
}

/** Not a package of ours: it lies in a workspace of its own, since versions 4 and 5 cannot share one. */
const HOST_PACKAGE = 'next-auth'

function nextAuth4(origin: string): RequestHandler {
  const require = createRequire(resolve('test/hosts/next-auth/package.json'))
  const { default: NextAuth } = require(HOST_PACKAGE) as {
    default: (request: unknown, response: unknown, options: object) => Promise<void>
  }
  process.env['NEXTAUTH_URL'] = origin
  const options = {
    adapter,
    secret: 'a secret of the test',
    session: { strategy: 'database' },
    providers: [
      {
        ...providerOptions(),
        type: 'oauth',
        idToken: true,
        checks: ['pkce', 'state'],
        profile: (claims: Record<string, string>) => ({
          id: claims['sub'],
          name: claims['name'],
          email: claims['email'],
        }),
      },
    ],
  }
  return (request, response, next) => {
    const query = { ...request.query, nextauth: request.path.replace('/api/auth/', '').split('/') }
    const cookies = parseCookie(request.headers.cookie ?? '')
    const given = {
      ...request,
      headers: request.headers,
      method: request.method,
      body: request.body as unknown,
      query,
      cookies,
    }
    NextAuth(given, response, options).catch(next)
  }
}

describe.each([
  ['without an origin', null],
  ['while old processes run', 'read'],
  ['when no old process is left', 'move'],
] as const)('%s', (_title, mode) => {
  beforeAll(() => {
    adapter = CoatcheckAdapter(options(mode))
  })
  afterAll(async () => {
    await adapter.close()
  })

  describe.each([
    ['@auth/core', authCore, 0],
    ['next-auth 4', nextAuth4, 1],
  ] as const)('%s', (_name, make, index) => {
    let origin: string
    beforeAll(() => {
      const server = servers[index]
      origin = originOf(server)
      const app = express()
      app.use(express.urlencoded({ extended: true }), make(origin))
      server?.removeAllListeners('request')
      server?.on('request', app)
    })

    const signIn = async () => {
      const visitor = browser()
      const { csrfToken } = (await (await visitor.go(`${origin}/api/auth/csrf`)).json()) as { csrfToken: string }
      const url = `${origin}/api/auth/signin/dev`
      const body = new URLSearchParams({ csrfToken, callbackUrl: `${origin}/api/auth/session` })
      await visitor.follow(await visitor.go(url, { method: 'POST', body }), url)
      return visitor
    }
    const session = async ({ go }: ReturnType<typeof browser>) =>
      (await (await go(`${origin}/api/auth/session`)).json()) as { user?: { email?: string; name?: string } } | null
    const tokenOf = ({ jar }: ReturnType<typeof browser>): string =>
      [...jar].find(([name]) => name.endsWith('session-token'))?.[1] ?? ''
    const userId = async (): Promise<string> => (await adapter.getUserByEmail('ada@example.test'))?.id ?? ''

    it('signs in, shows the session, signs out', async () => {
      const ada = await signIn()
      expect((await session(ada))?.user).toMatchObject({ email: 'ada@example.test' })
      const token = tokenOf(ada)
      const { csrfToken } = (await (await ada.go(`${origin}/api/auth/csrf`)).json()) as { csrfToken: string }
      await ada.go(`${origin}/api/auth/signout`, { method: 'POST', body: new URLSearchParams({ csrfToken }) })
      expect(await adapter.getSessionAndUser(token)).toBeNull()
      expect((await session(ada))?.user).toBeUndefined()
    })

    it('several devices, one user: listed, and all others ended exactly', async () => {
      const devices = []
      for (let device = 0; device < 4; device++) devices.push(await signIn())
      const id = await userId()
      expect(await adapter.listSessionsByUser(id)).toHaveLength(4)
      const kept = tokenOf(devices[2] as ReturnType<typeof browser>)
      expect(await adapter.revokeSessionsByUser(id, { exceptSessionToken: kept })).toBe(3)
      const users = await Promise.all(devices.map(async (device) => (await session(device))?.user !== undefined))
      expect(users).toEqual([false, false, true, false])
      expect(await adapter.listSessionsByUser(id)).toHaveLength(1)
    })

    it.skipIf(mode === 'read')(
      'sessions have an end in Redis; neither tokens nor addresses can be read there',
      async () => {
        const ada = await signIn()
        const keys = (await redis.cli('--scan', '--pattern', 'host:authjs-session:*')).split('\n')
        expect(keys).toHaveLength(1)
        expect(Number(await redis.cli('pttl', keys[0] ?? ''))).toBeGreaterThan(29 * 86_400_000)
        await redis.cli('save')
        const dump = readFileSync(join(redis.dir, 'dump.rdb'))
        for (const secret of [tokenOf(ada), 'ada@example.test', await userId()])
          expect(dump.includes(secret)).toBe(false)
      },
    )
  })

  describe('the adapter', () => {
    const someone = async () =>
      adapter.createUser({ email: `${randomUUID()}@example.test`, emailVerified: null, name: 'N' })
    const newSession = (userId: string, ms = 60_000) =>
      adapter.createSession({ sessionToken: randomUUID(), userId, expires: new Date(Date.now() + ms) })

    it('keeps users with their dates, and finds them by id, address and account', async () => {
      const emailVerified = new Date('2026-01-02T03:04:05.678Z')
      const user = await adapter.createUser({ id: 'given', email: 'grace@example.test', emailVerified, name: 'Grace' })
      expect(user).toEqual({ id: 'given', email: 'grace@example.test', emailVerified, name: 'Grace' })
      const account = { userId: 'given', type: 'oidc', provider: 'idp', providerAccountId: '7', access_token: 'secret' }
      await adapter.linkAccount(account)
      await adapter.linkAccount(account)
      expect(await adapter.getUser('given')).toEqual(user)
      expect(await adapter.getUserByEmail('grace@example.test')).toEqual(user)
      expect(await adapter.getUserByAccount({ provider: 'idp', providerAccountId: '7' })).toEqual(user)
      expect(await adapter.getAccount('7', 'idp')).toEqual(account)
      expect(await adapter.getUserByEmail('nobody@example.test')).toBeNull()
      expect(await adapter.unlinkAccount({ provider: 'idp', providerAccountId: '7' })).toEqual(account)
      expect(await adapter.getUserByAccount({ provider: 'idp', providerAccountId: '7' })).toBeNull()
    })

    it('of 20 first sign-ins with one address one makes a user; an account belongs to one', async () => {
      const email = `${randomUUID()}@example.test`
      const made = await Promise.allSettled(
        Array.from({ length: 20 }, () => adapter.createUser({ email, emailVerified: null })),
      )
      expect(made.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
      for (const one of made) {
        if (one.status === 'rejected') expect(one.reason).toMatchObject({ code: 'COATCHECK_EMAIL_TAKEN' })
      }
      const [ada, grace] = [await someone(), await someone()]
      const account = { type: 'oauth', provider: 'p', providerAccountId: '1' }
      await adapter.linkAccount({ ...account, userId: ada.id })
      await expect(adapter.linkAccount({ ...account, userId: grace.id })).rejects.toMatchObject({
        code: 'COATCHECK_ACCOUNT_LINKED',
      })
    })

    it('of two changes of address at once, the losing address and the old one are free at once', async () => {
      const other = CoatcheckAdapter(options(mode))
      try {
        for (let i = 0; i < 20; i++) {
          const user = await someone()
          const [left, right] = [`${randomUUID()}@example.test`, `${randomUUID()}@example.test`]
          await Promise.all([
            adapter.updateUser({ id: user.id, email: left }),
            (i % 2 === 0 ? adapter : other).updateUser({ id: user.id, email: right }),
          ])
          const kept = (await adapter.getUser(user.id))?.email
          expect([left, right]).toContain(kept)
          expect((await adapter.getUserByEmail(kept ?? ''))?.id).toBe(user.id)
          for (const email of [user.email, left, right]) {
            const created = adapter.createUser({ email, emailVerified: null })
            if (email === kept) await expect(created).rejects.toMatchObject({ code: 'COATCHECK_EMAIL_TAKEN' })
            else expect((await created).email).toBe(email)
          }
        }
      } finally {
        await other.close()
      }
    })

    it('an address that changes there and back at once stays with its user', async () => {
      const user = await someone()
      const [left, right] = [user.email, `${randomUUID()}@example.test`]
      for (let i = 0; i < 20; i++) {
        await Promise.all([left, right, left].map((email) => adapter.updateUser({ id: user.id, email })))
        const kept = (await adapter.getUser(user.id))?.email ?? ''
        expect((await adapter.getUserByEmail(kept))?.id).toBe(user.id)
        await expect(adapter.createUser({ email: kept, emailVerified: null })).rejects.toMatchObject({
          code: 'COATCHECK_EMAIL_TAKEN',
        })
      }
    })

    it('a change of address frees the old one and takes the new one', async () => {
      const user = await someone()
      await expect(adapter.updateUser({ id: user.id, email: (await someone()).email })).rejects.toMatchObject({
        code: 'COATCHECK_EMAIL_TAKEN',
      })
      const updated = await adapter.updateUser({ id: user.id, email: 'new@example.test', name: undefined })
      expect(updated).toEqual({ ...user, email: 'new@example.test' })
      expect(await adapter.getUserByEmail(user.email)).toBeNull()
      expect((await adapter.createUser({ email: user.email, emailVerified: null })).email).toBe(user.email)
      await expect(adapter.updateUser({ id: 'nobody', name: 'x' })).rejects.toMatchObject({
        code: 'COATCHECK_USER_UNKNOWN',
      })
    })

    it('parallel changes of one user are all kept', async () => {
      const { id } = await someone()
      await Promise.all(Array.from({ length: 8 }, (_, index) => adapter.updateUser({ id, [`field${index}`]: index })))
      const user = await adapter.getUser(id)
      for (let index = 0; index < 8; index++) expect(user?.[`field${index}`]).toBe(index)
    })

    it('a session that was deleted is not brought back by a request that extends it', async () => {
      const user = await someone()
      for (let round = 0; round < 100; round++) {
        const { sessionToken } = await newSession(user.id)
        const expires = new Date(Date.now() + 120_000)
        const [updated] = await Promise.all([
          adapter.updateSession({ sessionToken, expires }),
          adapter.deleteSession(sessionToken),
        ])
        expect(await adapter.getSessionAndUser(sessionToken)).toBeNull()
        expect(await adapter.updateSession({ sessionToken, expires })).toBeNull()
        if (updated) expect(updated.expires).toEqual(expires)
      }
      expect(await adapter.listSessionsByUser(user.id)).toEqual([])
    })

    it('a session lives until it expires, and as long as it is extended to', async () => {
      const user = await someone()
      const { sessionToken } = await newSession(user.id, 60_000)
      await adapter.updateSession({ sessionToken, expires: new Date(Date.now() + 600_000) })
      const [key = ''] = (await redis.cli('--scan', '--pattern', 'host:authjs-session:*')).split('\n')
      expect(Number(await redis.cli('pttl', key))).toBeGreaterThan(500_000)
      const over = await newSession(user.id, -1)
      expect(await adapter.getSessionAndUser(over.sessionToken)).toBeNull()
    })

    it('of 20 who use a verification token one gets it', async () => {
      const token = { identifier: 'a@example.test', token: 'hash', expires: new Date(Date.now() + 60_000) }
      await adapter.createVerificationToken(token)
      expect(await adapter.useVerificationToken({ ...token, token: 'other' })).toBeNull()
      const used = await Promise.all(Array.from({ length: 20 }, () => adapter.useVerificationToken(token)))
      expect(used.filter((one) => one !== null)).toEqual([token])
    })

    it('a deleted user leaves nothing that leads to them', async () => {
      const user = await someone()
      const { sessionToken } = await newSession(user.id)
      await adapter.linkAccount({ userId: user.id, type: 'oauth', provider: 'p', providerAccountId: 'gone' })
      expect(await adapter.deleteUser(user.id)).toEqual(user)
      expect(await adapter.getSessionAndUser(sessionToken)).toBeNull()
      expect(await adapter.getUserByAccount({ provider: 'p', providerAccountId: 'gone' })).toBeNull()
      expect(await adapter.getUserByEmail(user.email)).toBeNull()
      expect(await adapter.deleteUser(user.id)).toBeNull()
    })

    it('keeps passkeys, and counts their use', async () => {
      const user = await someone()
      const passkey = {
        userId: user.id,
        credentialID: 'credential',
        providerAccountId: 'p',
        counter: 0,
        credentialBackedUp: false,
        credentialPublicKey: 'key',
        credentialDeviceType: 'singleDevice',
      }
      await adapter.createAuthenticator(passkey)
      await expect(adapter.createAuthenticator(passkey)).rejects.toMatchObject({ code: 'COATCHECK_ACCOUNT_LINKED' })
      expect((await adapter.updateAuthenticatorCounter('credential', 5)).counter).toBe(5)
      expect(await adapter.getAuthenticator('credential')).toEqual({ ...passkey, counter: 5 })
      expect(await adapter.listAuthenticatorsByUserId(user.id)).toEqual([{ ...passkey, counter: 5 }])
      expect(await adapter.getAuthenticator('nobody')).toBeNull()
    })
  })
})
