import { expect, it } from 'vitest'
import { isRecent, maxAgeMsOf } from './recent-sign-in.ts'

const NOW_MS = 1_700_000_000_000
const authentication = {
  provider: 'p',
  issuer: 'https://issuer.example',
  subject: 's',
  authenticatedAtMs: NOW_MS - 60_000,
}

it.each([
  [60_000, true],
  [59_999, false],
])('a sign-in of a minute ago, with a limit of %s ms: %s', (maxAgeMs, recent) => {
  expect(isRecent(authentication, maxAgeMs, NOW_MS)).toBe(recent)
})

it('a session without a sign-in at a provider, or without auth_time, is never recent', () => {
  expect(isRecent(null, 60_000, NOW_MS)).toBe(false)
  expect(isRecent({ ...authentication, isAuthTimeUnknown: true }, 3_600_000, NOW_MS)).toBe(false)
  expect(isRecent({ ...authentication, authenticatedAtMs: Number.NaN }, 3_600_000, NOW_MS)).toBe(false)
})

it.each<[number | string, number]>([
  ['5m', 300_000],
  ['1s', 1000],
  [3_600_000, 3_600_000],
])('takes maxAge: %s', (given, ms) => {
  expect(maxAgeMsOf(given, 'requireUser()')).toBe(ms)
})

it.each([300, 3600, '5', 'soon', 0, -1, Number.NaN, '500ms', null, {}])('refuses maxAge: %s', (given) => {
  expect(() => maxAgeMsOf(given as never, 'requireUser()')).toThrow(
    expect.objectContaining({ code: 'COATCHECK_INVALID_ARGUMENT', message: expect.stringContaining('"maxAge"') }),
  )
})
