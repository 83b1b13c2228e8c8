import { randomBytes } from 'node:crypto'
import { expect, it } from 'vitest'
import { DecodedRecords } from './decoded-records.ts'
import type { SessionRef } from './session-driver.ts'
import type { SessionRecord } from './session-codec.ts'

const ref = (id: string, userKey = 'ada'): SessionRef => ({ kind: 'user', userKey, id })
const record = {} as SessionRecord

it('gives back what was opened, for the same bytes under the same name only', () => {
  const records = new DecodedRecords<{ ref: SessionRef; record: SessionRecord; sealed: Buffer }>()
  const sealed = randomBytes(100)
  expect(records.find(ref('a'), sealed)).toBeNull()
  const kept = records.keep({ ref: ref('a'), record, sealed })
  expect(records.find(ref('a'), Buffer.from(sealed))).toBe(kept)
  expect(records.find(ref('b'), sealed)).toBeNull()
  expect(records.find(ref('a', 'grace'), sealed)).toBeNull()
  expect(records.find({ ...ref('a'), kind: 'anonymous' }, sealed)).toBeNull()
  for (let at = 0; at < sealed.length; at++) {
    const changed = Buffer.from(sealed)
    changed[at] = (changed[at] ?? 0) ^ 1
    expect(records.find(ref('a'), changed)).toBeNull()
  }
})

it('keeps bytes of its own: what becomes of the buffer of a reply does not matter', () => {
  const records = new DecodedRecords<{ ref: SessionRef; record: SessionRecord; sealed: Buffer }>()
  const reply = randomBytes(1000)
  const before = Buffer.from(reply.subarray(10, 110))
  records.keep({ ref: ref('a'), record, sealed: reply.subarray(10, 110) })
  reply.fill(0)
  expect(records.find(ref('a'), before)).not.toBeNull()
  expect(records.find(ref('a'), reply.subarray(10, 110))).toBeNull()
})

it('is bounded, and what is used stays', () => {
  const records = new DecodedRecords<{ ref: SessionRef; record: SessionRecord; sealed: Buffer }>()
  const hot = randomBytes(64 * 1024)
  const first = randomBytes(64 * 1024)
  records.keep({ ref: ref('hot'), record, sealed: hot })
  records.keep({ ref: ref('first'), record, sealed: first })
  for (let index = 0; index < 300; index++) {
    records.keep({ ref: ref(`other${index}`), record, sealed: randomBytes(64 * 1024) })
    expect(records.find(ref('hot'), hot)).not.toBeNull()
  }
  expect(records.find(ref('first'), first)).toBeNull()
})
