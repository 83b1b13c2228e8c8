import { randomBytes } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { coatcheck } from './coatcheck.ts'
import { entra } from '../oidc/entra.ts'
import type { Options } from '../config/types.ts'
import { memoryStore } from '../stores/memory/memory-store.ts'
import type { Store, StoreFactory } from '../stores/store.ts'

let written: string[]
let name = ''
const options = (more: Options = {}): Options => ({
  baseUrl: 'http://localhost:3000',
  store: memoryStore({ name }),
  ...more,
})

/** A memory store that counts what is done to it. */
function countedStore(): { factory: StoreFactory; opened: Store[]; closedCount(): number } {
  const inner = memoryStore({ name })
  const opened: Store[] = []
  let closed = 0
  const factory: StoreFactory = {
    ...inner,
    identity: `counted ${name}`,
    open: (context) => {
      const close = async (): Promise<void> => {
        closed++
      }
      const store = { ...inner.open(context), close }
      opened.push(store)
      return store
    },
  }
  return { factory, opened, closedCount: () => closed }
}

beforeEach(() => {
  name = randomBytes(8).toString('hex')
  written = []
  for (const variable of ['REDIS_URL', 'COATCHECK_KEYS', 'COATCHECK_BASE_URL', 'PORT', 'NODE_ENV'])
    vi.stubEnv(variable, '')
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => written.push(String(text)) > 0)
})
afterEach(() => {
  vi.unstubAllEnvs()
  vi.restoreAllMocks()
})

describe('coatcheck()', () => {
  it('can be called in a build without environment, and says what is missing when it is used', async () => {
    vi.stubEnv('NODE_ENV', 'production')
    const auth = coatcheck({ providers: [entra()] })
    await expect(auth.ready()).rejects.toMatchObject({ code: 'COATCHECK_CONFIG_MISSING' })
    await expect(auth.sessions.create()).rejects.toMatchObject({ code: 'COATCHECK_CONFIG_MISSING' })
    expect(() => auth.http.config()).toThrow(expect.objectContaining({ code: 'COATCHECK_CONFIG_MISSING' }) as Error)
    await auth.close()
  })

  it('has methods that work without their object', async () => {
    const { tokens: TokenCache, handler, close } = coatcheck(options())
    const { setUserTokens, getUserTokens, getAccessToken, deleteUserTokens, status, fromOAuth } = TokenCache
    const account = { access_token: 'a', refresh_token: 'r', expires_at: Math.floor(Date.now() / 1000) + 3600 }
    await setUserTokens('user', fromOAuth(account))
    expect(await getUserTokens('user')).toMatchObject({ accessToken: 'a', refreshToken: 'r' })
    expect(await getAccessToken('user')).toMatchObject({ accessToken: 'a' })
    expect(await status('user')).toHaveLength(1)
    await deleteUserTokens('user')
    expect(await getUserTokens('user')).toBeNull()
    expect((await handler(new Request('http://localhost:3000/auth/session'))).status).toBe(401)
    await close()
  })

  it('refuses wrong shapes at once', () => {
    expect(() => coatcheck({ sesion: {} } as Options)).toThrow(/Did you mean session\?/)
    expect(() => coatcheck({ providers: [entra({ tenant: 'x' } as never)] })).toThrow(
      /Did you mean entra\(\)\.tenantId\?/,
    )
  })

  it('looks at the environment again after a failure', async () => {
    vi.stubEnv('COATCHECK_BASE_URL', 'https://app.example.com')
    const auth = coatcheck({ store: memoryStore({ name }) })
    await expect(auth.ready()).rejects.toMatchObject({ code: 'COATCHECK_CONFIG_MISSING' })
    vi.stubEnv('COATCHECK_BASE_URL', 'http://localhost:3000')
    await auth.ready()
    await auth.close()
  })

  it('works with methods taken off', async () => {
    const auth = coatcheck(options())
    const { create, find, update } = auth.sessions
    const { setUserTokens, getUserTokens, fromOAuth } = auth.tokens
    const { ticket } = await create({ userId: 'ada' })
    await update(ticket, (draft) => (draft['coat'] = 'camel'))
    expect((await find(ticket)).session?.data).toEqual({ coat: 'camel' })
    await setUserTokens('ada', fromOAuth({ access_token: 'a', expires_in: 60 }), { provider: 'entra' })
    expect(await getUserTokens('ada', { provider: 'entra' })).toMatchObject({ accessToken: 'a' })
    const { handler, close } = auth
    expect((await handler(new Request('http://localhost:3000/auth/session'))).status).toBeLessThan(500)
    await close()
  })

  it('shares store, keys and events with instances of the same configuration, also of a reloaded module', async () => {
    const first = coatcheck(options())
    const { ticket } = await first.sessions.create({ userId: 'ada' })
    vi.resetModules()
    const reloaded = await import('./coatcheck.ts')
    const reloadedMemory = await import('../stores/memory/memory-store.ts')
    expect(reloaded.coatcheck).not.toBe(coatcheck)
    const second = reloaded.coatcheck({ baseUrl: 'http://localhost:3000', store: reloadedMemory.memoryStore({ name }) })
    expect((await second.sessions.find(ticket)).session?.user?.id).toBe('ada')
    const heard: string[] = []
    first.events.on('token.deleted', () => heard.push('first'))
    second.events.on('token.deleted', () => heard.push('second'))
    await second.tokens.setUserTokens('ada', { accessToken: 'a', expiresAt: Date.now() + 60_000 }, { provider: 'p' })
    await second.tokens.deleteUserTokens('ada')
    expect(heard.toSorted()).toEqual(['first', 'second'])
    await Promise.all([first.close(), second.close()])
  })

  it('opens one store for many at the same time, and closes it with the last of them', async () => {
    const { factory, opened, closedCount } = countedStore()
    const [a, b] = [coatcheck(options({ store: factory })), coatcheck(options({ store: factory }))]
    await Promise.all([a.ready(), a.sessions.create(), b.ready(), b.sessions.create()])
    expect(opened).toHaveLength(1)
    await a.close()
    await a.close()
    expect(closedCount()).toBe(0)
    await b.sessions.create()
    await b.close()
    expect(closedCount()).toBe(1)
  })

  it('keeps configurations apart', async () => {
    const { factory, opened } = countedStore()
    const all = [{}, { prefix: 'other:' }, { keys: randomBytes(32).toString('base64') }].map((more) =>
      coatcheck(options({ store: factory, ...more })),
    )
    await Promise.all(all.map((auth) => auth.ready()))
    expect(opened).toHaveLength(3)
    const [first, second] = all
    const { ticket } = (await first?.sessions.create({ userId: 'ada' })) ?? { ticket: '' }
    expect((await second?.sessions.find(ticket))?.session).toBeNull()
    await Promise.all(all.map((auth) => auth.close()))
  })

  it('answers COATCHECK_CLOSED after close, and does not open anything to close it', async () => {
    const { factory, opened } = countedStore()
    const auth = coatcheck(options({ store: factory }))
    await auth.close()
    await expect(auth.sessions.find('x')).rejects.toMatchObject({ code: 'COATCHECK_CLOSED' })
    await expect(auth.ready()).rejects.toMatchObject({ code: 'COATCHECK_CLOSED' })
    expect(opened).toHaveLength(0)
  })

  it('says once that this is development, and what that means', async () => {
    const baseUrl = `http://localhost:${20_000 + (randomBytes(2).readUInt16BE() % 40_000)}`
    const auth = coatcheck(options({ baseUrl }))
    const again = coatcheck(options({ baseUrl }))
    await Promise.all([auth.ready(), again.ready()])
    expect(written.filter((line) => line.includes(baseUrl))).toEqual([
      `coatcheck: the base URL ${baseUrl} is a development address: sessions in the memory of this process (REDIS_URL is not set); keys generated at start (COATCHECK_KEYS is not set), so a restart signs all users out; cookie without Secure\n`,
    ])
    await Promise.all([auth.close(), again.close()])
  })

  it('gives adapters a session per request and the configuration without secrets', async () => {
    const keys = randomBytes(32).toString('base64')
    const auth = coatcheck(options({ keys }))
    const { session, ticket } = await auth.sessions.create({ userId: 'ada' })
    const requestSession = auth.http.requestSession({ cookieHeader: `coatcheck=${ticket}`, sink: null })
    expect((await requestSession.getSession()).id).toBe(session.id)
    expect(JSON.stringify(auth.http.config())).not.toContain(keys)
    expect(auth.http.config()).toMatchObject({ basePath: '/auth', loopback: true, cookie: { name: 'coatcheck' } })
    await auth.close()
  })
})
