import { randomBytes } from 'node:crypto'
import { expect, it } from 'vitest'
import { Doorkeeper, fingerprintOf } from './doorkeeper.ts'

const random = (count: number): number[] => Array.from({ length: count }, () => randomBytes(4).readUInt32BE())

it('knows a value from its second sight on', () => {
  const doorkeeper = new Doorkeeper()
  for (const value of random(100)) {
    expect(doorkeeper.isKnown(value)).toBe(false)
    expect(doorkeeper.isKnown(value)).toBe(true)
  }
})

it('knows nearly all of ten thousand values that come in turn', () => {
  const doorkeeper = new Doorkeeper()
  const values = random(10_000)
  for (const value of values) doorkeeper.isKnown(value)
  expect(values.filter((value) => doorkeeper.isKnown(value)).length).toBeGreaterThan(9_800)
})

it('forgets: of a million values that come in turn it knows few', () => {
  const doorkeeper = new Doorkeeper()
  const values = random(1_000_000)
  for (const value of values) doorkeeper.isKnown(value)
  expect(values.filter((value) => doorkeeper.isKnown(value)).length).toBeLessThan(20_000)
})

it('gives texts different fingerprints, spread over all sets', () => {
  const prints = Array.from({ length: 10_000 }, (_, i) => fingerprintOf(`user-${i}`))
  expect(new Set(prints).size).toBeGreaterThan(9_990)
  expect(new Set(prints.map((print) => print & 16_383)).size).toBeGreaterThan(7_000)
})
