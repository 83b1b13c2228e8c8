import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { findExplanations } from '../explain/find-explanation.ts'
import { createFakeClock } from '../../testing/fake-clock.ts'
import { daysUntil, isSoon, SOON_DAYS } from './expiry.ts'

const DAY_MS = 86_400_000

test('an end within 21 days is soon, and a later one is not', () => {
  const clock = createFakeClock()
  const inDays = (days: number): number => clock.now() + days * DAY_MS
  expect(isSoon(inDays(SOON_DAYS) - 1, clock)).toBe(true)
  expect(isSoon(inDays(SOON_DAYS), clock)).toBe(false)
  expect([3, 1.5, 1 / 24, -1].map((days) => daysUntil(inDays(days), clock))).toEqual([
    '3 days',
    '36 hours',
    '1 hour',
    '0 hours',
  ])
})

test('the pages and `coatcheck explain` state the same about credentials: the doctor warns of certificates, not of secrets', () => {
  const page = readFileSync('docs/doctor.md', 'utf8')
  expect(page).toContain(`warns ${SOON_DAYS} days before a client certificate expires`)
  expect(page).toContain('Only the provider knows when a client **secret** expires')
  const [entry] = findExplanations('AADSTS7000222').found
  expect(entry?.prevent).toMatch(
    /^Put the expiry date of a secret into a calendar\..* warns before a certificate expires\./,
  )
})
