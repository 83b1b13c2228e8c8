import { randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { EventBus } from './core/events.ts'
import { memoryStore, type MemoryStoreOptions, type Store } from './memory.ts'
import { createFakeClock } from './testing/fake-clock.ts'

const clock = createFakeClock()
const open = (options: MemoryStoreOptions, prefix = ''): Store =>
  memoryStore(options).open({ prefix, clock, events: new EventBus(), loopback: true })

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
    await first.transactions.put('state', Buffer.from('sealed'), 1000)
    await first.close()
    expect(await open({ name: `${name}x` }).transactions.take('state')).toBeNull()
    expect(await open({ name }, 'other:').transactions.take('state')).toBeNull()
    expect(await open({ name }).transactions.take('state')).toEqual(Buffer.from('sealed'))
  })

  it('bounds sessions and transactions together', async () => {
    const store = open({ name: randomBytes(8).toString('hex'), maxBytes: 65_536 })
    const ref = { kind: 'anonymous', userKey: 'AAAAAAAAAAAAAAAA', id: 'BBBBBBBBBBBBBBBBBBBBBB' } as const
    const life = { ttlMs: 60_000, slackMs: 0, absoluteMs: 60_000 }
    await store.sessions.create(ref, randomBytes(60_000), life)
    const full = { code: 'COATCHECK_REDIS_OOM', retryable: true }
    await expect(store.transactions.put('state', Buffer.alloc(8000), 1000)).rejects.toMatchObject(full)
    expect(await store.sessions.end(ref, { reason: 'signed-out', ttlMs: 1000 })).toMatchObject({ count: 1 })
    await store.transactions.put('state', Buffer.alloc(8000), 1000)
  })
})
