import { beforeEach, describe, expect, it } from 'vitest'
import { ENTRY_OVERHEAD_BYTES, MemorySpace } from './space.ts'

let now: number
const clock = { now: () => now, monotonic: () => now }
const costOf = (key: string, bytes: number): number => bytes + key.length + ENTRY_OVERHEAD_BYTES

beforeEach(() => {
  now = 1_000_000
})

describe('MemorySpace', () => {
  it('copies buffers in and out', () => {
    const space = new MemorySpace({ clock })
    const given = Buffer.from('coat')
    space.setBuffer('a', given, 100)
    given.fill(0)
    const taken = space.getBuffer('a')
    expect(taken?.toString()).toBe('coat')
    taken?.fill(0)
    expect(space.getBuffer('a')?.toString()).toBe('coat')
  })

  it('forgets at the end of the life, to the millisecond', () => {
    const space = new MemorySpace({ clock })
    space.setBuffer('a', Buffer.from('x'), 100)
    now += 99
    expect(space.ttlMs('a')).toBe(1)
    now += 1
    expect(space.getBuffer('a')).toBeNull()
    expect(space.ttlMs('a')).toBeNull()
    expect(space.delete('a')).toBe(false)
    expect(space.usedBytes).toBe(0)
  })

  it('moves the life of a live entry only', () => {
    const space = new MemorySpace({ clock })
    space.setBuffer('a', Buffer.from('x'), 100)
    expect(space.expire('a', 500)).toBe(true)
    now += 499
    expect(space.has('a')).toBe(true)
    now += 1
    expect(space.expire('a', 500)).toBe(false)
  })

  it('holds structures by reference and accounts for a new size', () => {
    const space = new MemorySpace({ clock })
    const index = new Map([['one', 1]])
    space.put('i', index, 10, 100)
    expect(space.get('i')).toBe(index)
    space.put('i', index, 30, 100)
    expect(space.usedBytes).toBe(costOf('i', 30))
  })

  it('refuses what does not fit, keeps the old value, and deletes when full', () => {
    const space = new MemorySpace({ clock, maxBytes: costOf('a', 100) + costOf('b', 100) })
    space.setBuffer('a', Buffer.alloc(100, 1), 1000)
    space.setBuffer('b', Buffer.alloc(100, 2), 1000)
    const refused = expect.objectContaining({ code: 'COATCHECK_REDIS_OOM', retryable: true }) as unknown
    expect(() => space.setBuffer('b', Buffer.alloc(101), 1000)).toThrow(refused)
    expect(() => space.reserve(1)).toThrow(refused)
    expect(space.getBuffer('b')).toEqual(Buffer.alloc(100, 2))
    space.setBuffer('b', Buffer.alloc(50, 3), 1000)
    expect(space.delete('a')).toBe(true)
    space.setBuffer('c', Buffer.alloc(100), 1000)
    expect(space.countLive()).toBe(2)
  })

  it('makes room from expired entries before it refuses', () => {
    const space = new MemorySpace({ clock, maxBytes: 100 * costOf('000', 10) })
    for (let i = 0; i < 100; i++) space.setBuffer(String(i).padStart(3, '0'), Buffer.alloc(10), i < 90 ? 50 : 5000)
    now += 50
    space.setBuffer('new', Buffer.alloc(10 + 80 * costOf('000', 10)), 5000)
    expect(space.countLive()).toBe(11)
  })

  it('frees entries that are never read again, a few with every write', () => {
    const space = new MemorySpace({ clock })
    for (let i = 0; i < 1000; i++) space.setBuffer(`old-${i}`, Buffer.alloc(10), 50)
    now += 50
    for (let i = 0; i < 400; i++) space.setBuffer('same', Buffer.alloc(10), 5000)
    expect(space.usedBytes).toBe(costOf('same', 10))
  })
})
