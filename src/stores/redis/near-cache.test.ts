import { describe, expect, it } from 'vitest'
import { EventBus } from '../../core/events.ts'
import { duringChange, NearCache } from './near-cache.ts'

const heard = { isCurrent: () => true, close: () => undefined }
const isWorth = (value: unknown): boolean => value !== null

function setup(maxEntries = 3): {
  near: NearCache
  load: (name: string, value: unknown, keys?: string[]) => Promise<unknown>
} {
  const near = new NearCache(maxEntries)
  near.follow(heard)
  return { near, load: (name, value, keys = [name]) => near.load(name, keys, () => Promise.resolve(value), isWorth) }
}

describe('near cache', () => {
  it('keeps the very value, until one of its keys changes', async () => {
    const { near, load } = setup()
    const value = { a: 1 }
    expect(await load('a', value, ['a', 'gen'])).toBe(value)
    expect(near.get('session', 'a', 'a')).toBe(value)
    near.changed('other')
    expect(near.get('session', 'a', 'a')).toBe(value)
    near.changed('gen')
    expect(near.get('session', 'a', 'a')).toBeUndefined()
    await load('a', value, ['a', 'gen'])
    near.changed(null)
    expect([near.get('session', 'a', 'a'), near.size]).toEqual([undefined, 0])
  })

  it('is bounded: what was not asked for the longest goes first', async () => {
    const { near, load } = setup()
    for (const name of ['a', 'b', 'c']) await load(name, name)
    near.get('session', 'a', 'a')
    await load('d', 'd')
    expect(['a', 'b', 'c', 'd'].map((name) => near.get('session', name, name))).toEqual(['a', undefined, 'c', 'd'])
    expect(near.size).toBe(3)
  })

  it('does not keep what is not worth it, and not an error', async () => {
    const { near, load } = setup()
    await load('a', null)
    await expect(near.load('b', ['b'], () => Promise.reject(new Error('down')), isWorth)).rejects.toThrow('down')
    expect(near.size).toBe(0)
  })

  it.each([['its key'], [null]])('does not keep what was on its way when %s changed', async (key) => {
    const { near } = setup()
    let answer: (value: string) => void = () => undefined
    const reading = near.load(
      'a',
      ['a', 'its key'],
      () => new Promise<string>((resolve) => (answer = resolve)),
      isWorth,
    )
    near.changed(key)
    answer('old')
    expect(await reading).toBe('old')
    expect(near.size).toBe(0)
  })

  it('neither keeps nor answers while changes are not heard of', async () => {
    const near = new NearCache(3)
    let isCurrent = true
    near.follow({ isCurrent: () => isCurrent, close: () => undefined })
    await near.load('a', ['a'], () => Promise.resolve(1), isWorth)
    isCurrent = false
    expect(near.get('session', 'a', 'a')).toBeUndefined()
    await near.load('b', ['b'], () => Promise.resolve(2), isWorth)
    isCurrent = true
    expect([near.get('session', 'a', 'a'), near.get('session', 'b', 'b')]).toEqual([1, undefined])
  })

  it('forgets around a change by this process, also when that fails', async () => {
    const { near, load } = setup()
    const changing = duringChange(near)
    await load('a', 1)
    await expect(changing(['a'], Promise.reject(new Error('conflict')))).rejects.toThrow('conflict')
    expect(near.get('session', 'a', 'a')).toBeUndefined()
    let done: () => void = () => undefined
    const work = changing(['a'], new Promise<void>((resolve) => (done = resolve)))
    await load('a', 'before')
    done()
    await work
    expect(near.get('session', 'a', 'a')).toBeUndefined()
  })

  it('reports hits and misses', async () => {
    const events = new EventBus()
    const near = new NearCache(3, events)
    near.follow(heard)
    const reads: unknown[] = []
    events.on('redis.near-read', (event) => reads.push(event))
    near.get('session', 'a', 'a')
    await near.load('a', ['a'], () => Promise.resolve(1), isWorth)
    near.get('token', 'a', 'a')
    expect(reads).toEqual([
      { kind: 'session', isHit: false },
      { kind: 'token', isHit: true },
    ])
  })
})
