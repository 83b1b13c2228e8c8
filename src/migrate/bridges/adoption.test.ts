/** What is left when a process ends between the plan of a session and its record. */
import { randomBytes } from 'node:crypto'
import { describe, expect, it, vi } from 'vitest'
import { EventBus } from '../../core/events.ts'
import { systemRandom } from '../../core/random.ts'
import { createMemoryDocumentDriver } from '../../stores/memory/document-driver.ts'
import { createKeyring } from '../../keyring/keyring.ts'
import { createSeal } from '../../keyring/seal.ts'
import { MemorySpace } from '../../stores/memory/space.ts'
import { redisKeys } from '../../stores/keys.ts'
import { createMemorySessionDriver } from '../../stores/memory/session-driver.ts'
import { createTickets, sessionIdOf } from '../../session/ticket.ts'
import { createFakeClock } from '../../testing/fake-clock.ts'
import { createAdoption } from './adoption.ts'
import type { VerifiedCookie } from './verified-cookie.ts'

const HOUR_MS = 3_600_000
const REQUEST = { device: () => undefined, carried: {} }

function world() {
  const clock = createFakeClock()
  const events = new EventBus()
  const keyring = createKeyring(randomBytes(32).toString('base64'))
  const seal = createSeal(keyring)
  const space = new MemorySpace({ clock, maxBytes: 1024 * 1024 })
  const keys = redisKeys('')
  const stored = createMemorySessionDriver(space, keys, systemRandom)
  let failures = 0
  let beforeCreate = (): Promise<void> => Promise.resolve()
  const revoked: string[] = []
  const shared = { keyring, seal, namespace: '', events }
  const config = {
    ...{ idleTimeoutMs: 8 * HOUR_MS, absoluteTimeoutMs: 24 * HOUR_MS, staleForMs: 0, maxBytes: 65_536 },
    ...{ schema: null, schemaVersion: 1, upcasts: {}, limit: null, onUnavailable: 'fail' as const },
  }
  const cookie = (life = HOUR_MS): VerifiedCookie => ({
    identity: 'one',
    endsAtMs: clock.now() + life,
    load: async () => ({ data: { userId: 'ada' }, endsAtMs: null }),
    end: async () => undefined,
  })
  return {
    documents: createMemoryDocumentDriver(space, keys),
    clock,
    userKey: (userId: string) => keyring.userKey(userId),
    cookie: cookie(),
    revoked,
    pass: (ms: number) => clock.advance(ms),
    failOnce: () => failures++,
    /** Runs once, before the next session is stored. */
    meanwhile(run: () => Promise<void>) {
      beforeCreate = () => {
        beforeCreate = () => Promise.resolve()
        return run()
      }
    },
    tickets: createTickets(keyring, systemRandom, clock),
    stored,
    adoption: (extend = true) =>
      createAdoption(
        {
          documents: { ...shared, driver: createMemoryDocumentDriver(space, keys) },
          planned: {
            ...shared,
            driver: {
              ...stored,
              async create(...args) {
                await beforeCreate()
                if (failures-- > 0) throw new Error('cut off')
                return stored.create(...args)
              },
            },
            ...{ config, clock, random: systemRandom },
          },
          register: () => Promise.resolve(true),
          closing: () => undefined,
          revoke: async (id) => {
            revoked.push(id)
          },
          ...{ clock, events },
        },
        { origin: 'test', caller: 'test()', extend, user: (old: { userId: string }) => old },
      ),
    idOf(ticket = '') {
      const parsed = this.tickets.parse(ticket)
      return typeof parsed === 'string' ? parsed : sessionIdOf(parsed.ref)
    },
    /** Milliseconds until the stored session ends, and until it ends in any case. */
    async lifeOf(ticket: string) {
      const parsed = this.tickets.parse(ticket)
      if (typeof parsed === 'string') throw new Error(parsed)
      const { record } = await stored.read(parsed.ref)
      return { isStored: record !== null, absoluteMs: parsed.absoluteExpiresAtMs - clock.now() }
    },
  }
}

describe('a process that ends between plan and record', () => {
  it('leaves a plan that the next request carries out: the same session', async () => {
    const { adoption, cookie, failOnce, tickets, stored } = world()
    failOnce()
    await expect(adoption().adopt(cookie, REQUEST)).rejects.toThrow('cut off')
    const [first, second] = [await adoption().adopt(cookie, REQUEST), await adoption().adopt(cookie, REQUEST)]
    expect(first?.ticket).toBe(second?.ticket)
    const parsed = tickets.parse(first?.ticket ?? '')
    if (typeof parsed === 'string') throw new Error(parsed)
    expect((await stored.read(parsed.ref)).record).not.toBeNull()
    expect(await stored.list(parsed.ref.userKey, 10)).toHaveLength(1)
  })

  it('leaves a plan that a request of a later minute replaces: the user stays signed in', async () => {
    const { adoption, cookie, failOnce, pass, tickets, stored } = world()
    failOnce()
    await expect(adoption().adopt(cookie, REQUEST)).rejects.toThrow('cut off')
    pass(61_000)
    const [late, again] = [await adoption().adopt(cookie, REQUEST), await adoption().adopt(cookie, REQUEST)]
    expect(late?.ticket).toBe(again?.ticket)
    const parsed = tickets.parse(late?.ticket ?? '')
    if (typeof parsed === 'string') throw new Error(parsed)
    expect((await stored.read(parsed.ref)).record).not.toBeNull()
    expect(await stored.list(parsed.ref.userKey, 10)).toHaveLength(1)
  })

  it('a request of a later minute leaves the session of a plan that a slow request has handed out', async () => {
    const { adoption, cookie, meanwhile, pass, revoked } = world()
    let release = (): void => undefined
    const isReleased = new Promise<void>((done) => (release = done))
    let reached = (): void => undefined
    const isReached = new Promise<void>((done) => (reached = done))
    meanwhile(() => {
      reached()
      return isReleased
    })
    const slow = adoption().adopt(cookie, REQUEST)
    await isReached
    pass(61_000)
    // The later request finds an expired plan, and reads the old session again. Before its next step the slow request ends.
    const late = adoption().adopt(
      {
        ...cookie,
        async load() {
          release()
          await slow
          return cookie.load()
        },
      },
      REQUEST,
    )
    expect((await late)?.ticket).toBe((await slow)?.ticket)
    expect(revoked).toEqual([])
  })

  it('leaves nothing that comes to life when the old session has ended', async () => {
    const { adoption, cookie, failOnce, pass } = world()
    failOnce()
    await expect(adoption().adopt(cookie, REQUEST)).rejects.toThrow('cut off')
    pass(61_000)
    expect(await adoption().adopt({ ...cookie, load: async () => null }, REQUEST)).toBeNull()
  })

  it('leaves nothing after the sign-out', async () => {
    const { adoption, cookie, failOnce } = world()
    failOnce()
    await expect(adoption().adopt(cookie, REQUEST)).rejects.toThrow('cut off')
    await adoption().end(cookie)
    expect(await adoption().adopt(cookie, REQUEST)).toBeNull()
  })
})

describe('a sign-out', () => {
  it('ends the session that another request adopts while the sign-out begins', async () => {
    const w = world()
    const { adoption, cookie, revoked } = w
    let ticket = ''
    // Between the read of the sign-out and its write, another request adopts the old session.
    const meanwhile = {
      ...cookie,
      async load() {
        ticket = (await adoption().adopt(cookie, REQUEST))?.ticket ?? ''
        return cookie.load()
      },
    }
    await adoption().end(meanwhile)
    expect(ticket).not.toBe('')
    expect(await adoption().adopt(cookie, REQUEST)).toBeNull()
    expect(revoked).toEqual([w.idOf(ticket)])
  })

  it('ends the adopted session also when the old store rejects, and again when it is repeated', async () => {
    const w = world()
    const { adoption, cookie, revoked } = w
    const { ticket } = (await adoption().adopt(cookie, REQUEST)) ?? {}
    const failing = { ...cookie, end: () => Promise.reject(new Error('cut off')) }
    await expect(adoption().end(failing)).rejects.toThrow('cut off')
    expect(revoked).toEqual([w.idOf(ticket)])
    expect(await adoption().adopt(cookie, REQUEST)).toBeNull()
    // The first attempt may have stopped behind the mark.
    await adoption().end(cookie)
    expect(revoked).toEqual([w.idOf(ticket), w.idOf(ticket)])
  })
})

describe('a sign-out while an old process answers a request', () => {
  it('ends the old session once more after 5 s, because that process may have written it again', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    try {
      const { adoption, cookie } = world()
      let ends = 0
      await adoption().end({
        ...cookie,
        async end() {
          ends++
        },
      })
      expect(ends).toBe(1)
      await vi.advanceTimersByTimeAsync(5000)
      expect(ends).toBe(2)
    } finally {
      vi.useRealTimers()
    }
  })
})

describe('a sign-out with a token that names no session', () => {
  it('writes nothing and ends nothing', async () => {
    const { adoption, cookie, documents } = world()
    let ends = 0
    const unknown = {
      ...cookie,
      load: async () => null,
      end: async () => {
        ends++
      },
    }
    await adoption().end(unknown)
    expect(ends).toBe(0)
    const names: string[] = []
    for await (const name of documents.names('adopted')) names.push(name)
    expect(names).toEqual([])
    await adoption().end(cookie)
    for await (const name of documents.names('adopted')) names.push(name)
    expect(names).toHaveLength(1)
  })
})

describe('a cookie without an end, shown again for years', () => {
  const YEARS = [8 * 24 * HOUR_MS, 400 * 24 * HOUR_MS, 8 * 365 * 24 * HOUR_MS]
  const endless = (cookie: VerifiedCookie): VerifiedCookie => ({ ...cookie, endsAtMs: null })

  it.each([true, false])('opens no session after a sign-out (adopted before: %s)', async (wasAdopted) => {
    const { adoption, cookie, pass } = world()
    if (wasAdopted) await adoption().adopt(endless(cookie), REQUEST)
    await adoption().end(endless(cookie))
    for (const later of YEARS) {
      pass(later)
      expect(await adoption().adopt(endless(cookie), REQUEST)).toBeNull()
    }
  })

  it('opens no second session after the first one has ended', async () => {
    const { adoption, cookie, pass } = world()
    const first = await adoption().adopt(endless(cookie), REQUEST)
    for (const later of YEARS.slice(0, 2)) {
      pass(later)
      expect((await adoption().adopt(endless(cookie), REQUEST))?.ticket).toBe(first?.ticket)
    }
  })
})

describe('a session that expired while old processes extended the old one, as after a rollback', () => {
  const IDLE_MS = 8 * HOUR_MS
  /** The old session ends at `endsAtMs`, and its cookie names no end. */
  const stored = (cookie: VerifiedCookie, endsAtMs: number): VerifiedCookie => ({
    ...cookie,
    endsAtMs: null,
    load: async () => ({ data: { userId: 'ada' }, endsAtMs }),
  })

  it('is adopted once more for each extension, and once for parallel requests', async () => {
    const w = world()
    const { adoption, cookie, clock } = w
    const firstEndMs = clock.now() + 2 * IDLE_MS
    const first = await adoption().adopt(stored(cookie, firstEndMs), REQUEST)
    clock.advance(IDLE_MS + 1)
    const extended = stored(cookie, firstEndMs + HOUR_MS)
    const found = await Promise.all([adoption(), adoption()].map((one) => one.adopt(extended, REQUEST)))
    expect(found.map((one) => one?.ticket)).toEqual([first?.ticket, first?.ticket])
    const again = await Promise.all(found.map((one) => one?.adoptAgain()))
    const [second, other] = again.map((one) => one?.ticket)
    expect(second).not.toBe(first?.ticket)
    expect(other).toBe(second)
    expect((await w.lifeOf(second ?? '')).isStored).toBe(true)
    const last = await adoption().adopt(extended, REQUEST)
    expect(last?.ticket).toBe(second)
    // It is idle again, and no old process has served the user since.
    clock.advance(IDLE_MS + 1)
    expect(await last?.adoptAgain()).toBeNull()
  })

  it.each([
    ['no process has extended the old session', (endsAtMs: number) => endsAtMs + 59_000],
    ['the old session has ended', () => null],
  ])('stays expired if %s', async (_why, endOf) => {
    const { adoption, cookie, clock } = world()
    const endsAtMs = clock.now() + 2 * IDLE_MS
    await adoption().adopt(stored(cookie, endsAtMs), REQUEST)
    clock.advance(IDLE_MS + 1)
    const endMs = endOf(endsAtMs)
    const now = endMs === null ? { ...cookie, load: async () => null } : stored(cookie, endMs)
    expect(await (await adoption().adopt(now, REQUEST))?.adoptAgain()).toBeNull()
  })

  it('stays expired after its absolute end, when the store no longer knows whether it was revoked', async () => {
    const { adoption, cookie, clock } = world()
    await adoption().adopt(stored(cookie, clock.now() + 10 * IDLE_MS), REQUEST)
    clock.advance(24 * HOUR_MS)
    const extended = stored(cookie, clock.now() + 10 * IDLE_MS)
    expect(await (await adoption().adopt(extended, REQUEST))?.adoptAgain()).toBeNull()
  })

  it('stays expired after a revocation of all sessions of the user', async () => {
    const w = world()
    const { adoption, cookie, clock } = w
    const endsAtMs = clock.now() + 2 * IDLE_MS
    await adoption().adopt(stored(cookie, endsAtMs), REQUEST)
    clock.advance(IDLE_MS + 1)
    await adoption().revoking(w.userKey('ada'))
    expect(await (await adoption().adopt(stored(cookie, endsAtMs + HOUR_MS), REQUEST))?.adoptAgain()).toBeNull()
  })
})

describe('the life of an adopted session', () => {
  it('without extend, the session ends with the old one; with it, our absolute timeout ends it', async () => {
    const [strict, extended] = [world(), world()]
    const one = await strict.adoption(false).adopt(strict.cookie, REQUEST)
    const other = await extended.adoption().adopt(extended.cookie, REQUEST)
    expect((await strict.lifeOf(one?.ticket ?? '')).absoluteMs).toBe(HOUR_MS)
    expect((await extended.lifeOf(other?.ticket ?? '')).absoluteMs).toBe(24 * HOUR_MS)
  })
})
