/**
 * A rollback that is longer than the idle timeout: old processes serve the users again, and extend the old sessions, while the adopted sessions
 * expire. When the new processes come back, nobody who is signed in at the old application signs in again, and nobody who was signed out is back.
 */
import { createHmac, randomBytes } from 'node:crypto'
import session from 'express-session'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { type Coatcheck, coatcheck } from '../../src/app/coatcheck.ts'
import { setCookiesOf } from '../../src/http/cookie.ts'
import { createHeadersSink } from '../../src/http/headers-sink.ts'
import { fromExpressSession } from '../../src/entries/migrate.ts'
import { memoryStore } from '../../src/stores/memory/memory-store.ts'
import { cookieHeader } from './old-apps.ts'

const SECRET = 'the secret of the old application, 32 characters or more'
const HOUR_MS = 3_600_000
const IDLE_HOURS = 8
const OLD_LIFE_MS = 12 * HOUR_MS

let auth: Coatcheck<Record<string, unknown>>
let store: session.MemoryStore
let cookie: string
let id: string

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['Date'] })
  vi.stubEnv('COATCHECK_LOG', 'silent')
  auth = coatcheck({
    baseUrl: 'http://localhost',
    keys: randomBytes(32).toString('base64'),
    store: memoryStore({ name: randomBytes(8).toString('hex') }),
    session: { idleTimeout: `${IDLE_HOURS}h`, absoluteTimeout: '7d' },
  })
  store = new session.MemoryStore()
  id = randomBytes(24).toString('base64url')
  await oldRequest()
  const signature = createHmac('sha256', SECRET).update(id).digest('base64').replace(/=+$/, '')
  cookie = `connect.sid=${encodeURIComponent(`s:${id}.${signature}`)}`
})
afterEach(async () => {
  await auth.close()
  vi.useRealTimers()
  vi.unstubAllEnvs()
})

/** What express-session stores for a request of the user. */
async function oldRequest(): Promise<void> {
  const expires = new Date(Date.now() + OLD_LIFE_MS)
  const record = { cookie: { originalMaxAge: OLD_LIFE_MS, expires }, userId: 'ada' }
  await new Promise((resolve) => store.set(id, record, resolve))
}

/** The browser keeps the cookies that it gets. */
function newRequest() {
  const sink = createHeadersSink()
  const adopt = fromExpressSession({ secret: SECRET, store, user: ({ userId }) => ({ userId: userId as string }) })
  const header = (name: string) => ({ 'sec-fetch-site': 'same-origin' })[name]
  const made = auth.http.requestSession({ cookieHeader: cookie, sink, adopt, header })
  return {
    async user() {
      const { user } = await made.getSession()
      cookie = cookieHeader(setCookiesOf(sink), cookie)
      return user?.id ?? null
    },
    async signOut() {
      await (await made.getVisit()).signOut()
    },
  }
}

function pass(hours: number): void {
  vi.setSystemTime(Date.now() + hours * HOUR_MS)
}

it('a revoked session stays revoked after its absolute end, however long old processes extend the old one', async () => {
  expect(await newRequest().user()).toBe('ada')
  const [one] = await auth.sessions.listByUser('ada')
  await auth.sessions.revoke(one?.id ?? '')
  for (let hours = 0; hours < 21 * 24; hours += 6) {
    pass(6)
    await oldRequest()
  }
  expect(await newRequest().user()).toBeNull()
})

describe('after a rollback that is longer than the idle timeout', () => {
  it('the user who kept working with old processes is signed in', async () => {
    expect(await newRequest().user()).toBe('ada')
    for (let hours = 0; hours < 24; hours += 6) {
      pass(6)
      await oldRequest()
    }
    expect(await newRequest().user()).toBe('ada')
    expect(await auth.sessions.listByUser('ada')).toHaveLength(1)
    expect(await newRequest().user()).toBe('ada')
    expect(await auth.sessions.listByUser('ada')).toHaveLength(1)
  })

  it('a user who was idle signs in again: the old session alone lengthens nothing', async () => {
    expect(await newRequest().user()).toBe('ada')
    pass(IDLE_HOURS + 1)
    expect(await newRequest().user()).toBeNull()
  })

  it.each([
    [
      'an operator ended the session',
      async () => {
        const [one] = await auth.sessions.listByUser('ada')
        await auth.sessions.revoke(one?.id ?? '')
      },
    ],
    [
      'an operator ended the session, and the user has another one',
      async () => {
        const [one] = await auth.sessions.listByUser('ada')
        await auth.sessions.create({ userId: 'ada' })
        await auth.sessions.revoke(one?.id ?? '')
      },
    ],
    [
      'all sessions of the user ended',
      async () => {
        await auth.sessions.revokeByUser('ada')
      },
    ],
    [
      'another user signed in with the browser',
      async () => {
        const ticket = /coatcheck=([^;]+)/.exec(cookie)?.[1] ?? ''
        await auth.sessions.signIn(ticket, { userId: 'grace' })
      },
    ],
    ['the user signed out', () => newRequest().signOut()],
  ])('nobody is back if %s', async (_why, end) => {
    expect(await newRequest().user()).toBe('ada')
    await end()
    const withoutOurs = cookie
      .split('; ')
      .filter((part) => part.startsWith('connect.sid'))
      .join('; ')
    const cookies = [cookie, withoutOurs]
    for (let hours = 0; hours < 24; hours += 6) {
      pass(6)
      await oldRequest()
    }
    for (const one of cookies) {
      cookie = one
      expect(await newRequest().user()).toBeNull()
    }
  })
})
