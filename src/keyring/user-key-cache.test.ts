import { randomBytes } from 'node:crypto'
import { expect, it } from 'vitest'
import { CacheBudget } from '../core/cache-budget.ts'
import { createKeyring } from './keyring.ts'

it('counts the user ids that it caches, and caches no long ones', () => {
  const caches = new CacheBudget(1_000_000)
  const keyring = createKeyring(randomBytes(32).toString('base64'), caches)
  const entries = (): number => caches.figures()[0]?.entries ?? 0
  const twice = (userId: string): string => {
    keyring.userKey(userId)
    return keyring.userKey(userId)
  }
  for (let i = 0; i < 5000; i++) twice(`${i}-${'x'.repeat(400)}`)
  expect(entries()).toBeGreaterThan(400)
  expect(entries()).toBeLessThan(1000)
  const before = entries()
  const long = 'y'.repeat(513)
  expect(twice(long)).toBe(keyring.userKey(long))
  expect(entries()).toBe(before)
  // A lone surrogate is a text of its own.
  expect(twice('\ud800')).toBe(twice('\ud800'))
})
