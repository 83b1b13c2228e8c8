import { expect, it } from 'vitest'
import { boundedLifeMs, checkedTtlMs, MAX_TTL_MS } from './time-to-live.ts'

it.each([
  [0, 1],
  [0.2, 1],
  [1000, 1000],
  [1000.4, 1001],
  [Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
])('a time to live of %s is %s whole milliseconds', (given, whole) => {
  expect(checkedTtlMs(given)).toBe(whole)
})

it.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -1, 2 ** 53, '1000' as unknown as number])(
  'refuses %s by the name of the value',
  (given) => {
    expect(() => checkedTtlMs(given, 'ttl')).toThrow(
      expect.objectContaining({ code: 'COATCHECK_INVALID_ARGUMENT', message: expect.stringContaining('"ttl"') }),
    )
  },
)

it('a life that another library asks for is bounded, and one that is no number is the fallback', () => {
  expect(boundedLifeMs(Number.NaN, 5)).toBe(5)
  expect(boundedLifeMs(null, 5)).toBe(5)
  expect(boundedLifeMs('session', 5)).toBe(5)
  expect(boundedLifeMs(-1, 5)).toBe(-1)
  expect(boundedLifeMs(Number.POSITIVE_INFINITY, 5)).toBe(MAX_TTL_MS)
})
