import { expect, test } from 'vitest'
import { counted, whole } from './counted.ts'

test('one thing is singular, any other number of things plural', () => {
  expect([0, 1, 2, 12_345].map((count) => counted(count, 'session'))).toEqual([
    '0 sessions',
    '1 session',
    '2 sessions',
    '12,345 sessions',
  ])
  expect(counted(1, 'entry', 'entries')).toBe('1 entry')
  expect(counted(3, 'entry', 'entries')).toBe('3 entries')
})

test('a number that is not whole is rounded', () => {
  expect(whole(1234.5)).toBe('1,235')
})
