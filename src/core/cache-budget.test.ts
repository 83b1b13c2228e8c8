import { describe, expect, it } from 'vitest'
import { CacheBudget } from './cache-budget.ts'

const one = (): number => 1

describe('a memory bound of several caches', () => {
  it('holds at most the bound, and an entry that is used stays', () => {
    const budget = new CacheBudget(100)
    const cache = budget.cache<number>('numbers', one)
    for (let i = 0; i < 1000; i++) {
      cache.set(`n${i}`, i)
      expect(cache.get('n0')).toBe(0)
      expect(budget.figures()[0]?.entries).toBeLessThanOrEqual(102)
    }
    expect(cache.get('n500')).toBeUndefined()
    expect(cache.get('n999')).toBe(999)
  })

  it('is shared: what one cache takes, another gives up', () => {
    const budget = new CacheBudget(100)
    const [quiet, busy] = [budget.cache<number>('quiet', one), budget.cache<number>('busy', one)]
    quiet.set('once', 1)
    for (let i = 0; i < 200; i++) busy.set(`n${i}`, i)
    expect(quiet.get('once')).toBeUndefined()
    const [ofQuiet, ofBusy] = budget.figures()
    expect(ofQuiet).toEqual({ name: 'quiet', entries: 0, hits: 0, misses: 1, evictions: 1 })
    expect(ofBusy?.evictions).toBeGreaterThan(50)
  })

  it('counts the memory by which an entry grows, also when the entry is used again', () => {
    const budget = new CacheBudget(1000)
    const cache = budget.cache<{ size: number }>('texts', ({ size }) => size)
    const entry = { size: 1 }
    cache.set('other', { size: 1 })
    cache.set('grown', entry)
    entry.size = 490
    cache.grow(489)
    expect(cache.get('other')).toBeDefined()
    cache.grow(10)
    // The bound is reached: both are of the older generation now, and one use brings `grown` back with its whole size.
    expect(cache.get('grown')).toBe(entry)
    cache.grow(11)
    expect(cache.get('other')).toBeUndefined()
    expect(cache.get('grown')).toBe(entry)
  })

  it('forgets on demand, in both generations', () => {
    const budget = new CacheBudget(20)
    const cache = budget.cache<number>('numbers', one)
    cache.set('old', 1)
    for (let i = 0; i < 10; i++) cache.set(`n${i}`, i)
    cache.set('new', 2)
    expect([...cache.values()]).toContain(1)
    cache.delete('old')
    cache.delete('new')
    expect([cache.get('old'), cache.get('new')]).toEqual([undefined, undefined])
  })

  it('keeps almost nothing with a bound of 0', () => {
    const budget = new CacheBudget(0)
    const cache = budget.cache<number>('numbers', one)
    for (let i = 0; i < 100; i++) cache.set(`n${i}`, i)
    expect(budget.figures()[0]?.entries).toBeLessThanOrEqual(2)
  })
})
