import { describe, expect, it } from 'vitest'
import { parseDurationMs } from './duration.ts'

describe('parseDurationMs', () => {
  it.each([
    ['8h', 28_800_000],
    ['30 min', 1_800_000],
    ['15m', 900_000],
    ['90d', 7_776_000_000],
    ['1.5h', 5_400_000],
    ['250ms', 250],
    [' 10s ', 10_000],
    [1500, 1500],
    [0.5, 0],
  ])('%s is %d ms', (given, ms) => {
    expect(parseDurationMs(given)).toBe(ms)
  })

  it.each([
    0,
    -1,
    '0s',
    '-5s',
    'soon',
    '8 hours',
    '8',
    '',
    '1e3s',
    '9'.repeat(40) + 'd',
    NaN,
    Infinity,
    null,
    undefined,
    {},
    8n,
  ])('refuses %s', (given) => {
    expect(parseDurationMs(given)).toBeNull()
  })
})
