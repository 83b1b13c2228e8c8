import { randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { EventBus } from '../../core/events.ts'
import { memoryStore, type MemoryStoreOptions, type Store } from './memory-store.ts'
import { createFakeClock } from '../../testing/fake-clock.ts'

const clock = createFakeClock()
const open = (options: MemoryStoreOptions, prefix = ''): Store =>
  memoryStore(options).open({ prefix, clock, events: new EventBus(), loopback: true })
const claim = (store: Store): Promise<boolean> => store.transactions.claim('state', Buffer.alloc(5), 1000)

describe('memoryStore()', () => {
  it('is refused where the base URL is not a loopback address', () => {
    const context = { prefix: '', clock, events: new EventBus(), loopback: false }
    const refused = expect.objectContaining({ code: 'COATCHECK_STORE_REQUIRED' }) as Error
    expect(() => memoryStore().open(context)).toThrow(refused)
  })

  it('checks its options', () => {
    expect(() => memoryStore({ maxBytes: 10 })).toThrow(/memoryStore\(\)\.maxBytes: got 10/)
    expect(() => memoryStore({ maxByte: 1 } as never)).toThrow(/Did you mean memoryStore\(\)\.maxBytes\?/)
  })

  it('shares content by name and prefix, and keeps it when closed', async () => {
    const name = randomBytes(8).toString('hex')
    const first = open({ name })
    expect(await claim(first)).toBe(true)
    await first.close()
    expect(await claim(open({ name: `${name}x` }))).toBe(true)
    expect(await claim(open({ name }, 'other:'))).toBe(true)
    expect(await claim(open({ name }))).toBe(false)
  })

  it('bounds sessions and used sign-ins together', async () => {
    const store = open({ name: randomBytes(8).toString('hex'), maxBytes: 65_536 })
    const ref = { kind: 'anonymous', userKey: 'AAAAAAAAAAAAAAAA', id: 'BBBBBBBBBBBBBBBBBBBBBB' } as const
    const life = { ttlMs: 60_000, slackMs: 0, absoluteMs: 60_000 }
    await store.sessions.create(ref, randomBytes(60_000), life)
    const full = { code: 'COATCHECK_REDIS_OOM', retryable: true }
    const claims = Array.from({ length: 100 }, (_, i) => store.transactions.claim(`state ${i}`, Buffer.alloc(5), 1000))
    const refused = (await Promise.allSettled(claims)).filter(({ status }) => status === 'rejected')
    expect(refused.length).toBeGreaterThan(50)
    expect(refused[0]).toMatchObject({ reason: full })
    expect(await store.sessions.end(ref, { reason: 'signed-out', ttlMs: 1000 })).toMatchObject({ count: 1 })
    expect(await claim(store)).toBe(true)
  })
})
