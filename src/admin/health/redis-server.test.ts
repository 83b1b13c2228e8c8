import { expect, it } from 'vitest'
import { findingOfVersion } from './redis-server.ts'

it.each([
  ['6.0.16', 'DOCTOR_REDIS_VERSION'],
  ['5.0.7', 'DOCTOR_REDIS_VERSION'],
  ['6.2.0', null],
  ['7.0.15', null],
  ['8.2.1', null],
  ['10.0.0', null],
  // Release candidates of 7.2 and 8.0, and a build from a branch.
  ['7.1.240', 'DOCTOR_REDIS_PRERELEASE'],
  ['7.9.240', 'DOCTOR_REDIS_PRERELEASE'],
  ['255.255.255', 'DOCTOR_REDIS_PRERELEASE'],
])('%s: %s', (version, code) => {
  expect(findingOfVersion(version)).toBe(code)
})
