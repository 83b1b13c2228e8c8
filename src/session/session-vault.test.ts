import { randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { CacheBudget } from '../core/cache-budget.ts'
import { systemClock } from '../core/clock.ts'
import { systemRandom } from '../core/random.ts'
import { createKeyring } from '../keyring/keyring.ts'
import { createSeal, type Seal } from '../keyring/seal.ts'
import type { SessionRecord } from './session-codec.ts'
import type { SessionRef, StoredSession } from './session-driver.ts'
import { createVault } from './session-vault.ts'
import { createTickets } from './ticket.ts'

const HOUR = 3_600_000
const GENERATION = Buffer.alloc(8, 3)

/** A vault that counts how often it decrypts, and the sessions of one ticket. */
function world(caches = new CacheBudget()) {
  const keyring = createKeyring(randomBytes(32).toString('base64'))
  const real = createSeal(keyring)
  let decrypted = 0
  const seal: Seal = { ...real, open: (...given) => (decrypted++, real.open(...given)) }
  const tickets = createTickets(keyring, systemRandom, systemClock, caches)
  const vault = createVault({ seal, namespace: '', clock: systemClock, tickets })
  const recordOf = (secretHash: Buffer, data: string): SessionRecord => ({
    schemaVersion: 1,
    createdAtMs: 0,
    lastSeenAtMs: 0,
    idleExpiresAtMs: systemClock.now() + HOUR,
    absoluteExpiresAtMs: systemClock.now() + HOUR,
    secrets: { current: secretHash, pending: [], previous: null },
    profileBytes: Buffer.from('{}'),
    dataBytes: Buffer.from(data),
  })
  const signIn = (data = '{}', ref: SessionRef = tickets.newRef(keyring.userKey('ada'))) => {
    const { ticket, secretHash } = tickets.issue(ref, systemClock.now() + HOUR)
    const stored = (text: string): StoredSession => {
      const { sealed } = vault.seal(ref, recordOf(secretHash, text))
      GENERATION.copy(sealed)
      return { record: sealed, generation: GENERATION }
    }
    return { ref, ticket, reply: stored(data), stored }
  }
  const evaluate = (ticket: string, reply: StoredSession) => {
    const parsed = tickets.parse(ticket)
    if (typeof parsed === 'string') throw new Error(parsed)
    const found = vault.evaluate(parsed, reply)
    return 'loaded' in found ? found.loaded.record.dataBytes.toString() : found.reason
  }
  const find = (ticket: string, { record, generation }: StoredSession) =>
    evaluate(ticket, { record: record && Buffer.from(record), generation })
  return { caches, signIn, evaluate, find, decrypted: () => decrypted }
}

describe('the decoded record of a ticket', () => {
  it('is kept from the second read on, and used for equal bytes only', () => {
    const { signIn, find, decrypted } = world()
    const { ticket, reply, stored } = signIn('{"a":1}')
    for (const expected of [1, 2, 2, 2]) {
      expect(find(ticket, reply)).toBe('{"a":1}')
      expect(decrypted()).toBe(expected)
    }
    const changed = stored('{"a":2}')
    expect(find(ticket, changed)).toBe('{"a":2}')
    expect(find(ticket, changed)).toBe('{"a":2}')
    expect(decrypted()).toBe(3)
    const bytes = changed.record ?? Buffer.alloc(0)
    for (let at = 8; at < bytes.length; at++) {
      const forged = Buffer.from(bytes)
      forged[at] = (forged[at] ?? 0) ^ 1
      expect(find(ticket, { record: forged, generation: GENERATION })).toBe('lost')
    }
  })

  it('never stands in for a reply: without a record, or with another generation, there is no session', () => {
    const { signIn, find } = world()
    const { ticket, reply } = signIn()
    for (let i = 0; i < 3; i++) find(ticket, reply)
    expect(find(ticket, { record: null, generation: GENERATION })).toBe('lost')
    expect(find(ticket, { record: reply.record, generation: null })).toBe('lost')
    expect(find(ticket, { record: reply.record, generation: Buffer.alloc(8, 4) })).toBe('revoked')
  })

  it('has its own bytes: what becomes of the buffer of a reply does not matter', () => {
    const { signIn, evaluate, decrypted } = world()
    const { ticket, reply } = signIn('{"a":1}')
    for (let i = 0; i < 3; i++) {
      const record = Buffer.from(reply.record ?? '')
      expect(evaluate(ticket, { record, generation: GENERATION })).toBe('{"a":1}')
      record.fill(0)
    }
    expect(decrypted()).toBe(2)
  })

  it('is not cached for tickets that are seen once, and is bounded for all others', () => {
    const { caches, signIn, find } = world(new CacheBudget(200_000))
    const sessions = Array.from({ length: 500 }, () => signIn(JSON.stringify({ text: 'x'.repeat(500) })))
    for (const { ticket, reply } of sessions) find(ticket, reply)
    const entries = () => caches.figures().find(({ name }) => name === 'tickets')?.entries ?? 0
    expect(entries()).toBe(0)
    for (const { ticket, reply } of sessions) for (let i = 0; i < 3; i++) find(ticket, reply)
    expect(entries()).toBeGreaterThan(30)
    expect(entries()).toBeLessThan(90)
  })

  it('keeps no part of the cookie header that the ticket came in, and no other ticket text', () => {
    const { caches, signIn, find, decrypted } = world()
    const { ticket, reply } = signIn()
    const entries = () => caches.figures().find(({ name }) => name === 'tickets')?.entries
    // The last character of a ticket carries four bits that decode to nothing.
    const other = Array.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_')
      .map((last) => ticket.slice(0, -1) + last)
      .filter((text) => text !== ticket && Buffer.from(text, 'base64url').equals(Buffer.from(ticket, 'base64url')))
    expect(other.length).toBeGreaterThan(0)
    for (const text of other) for (let i = 0; i < 3; i++) expect(find(text, reply)).toBe('{}')
    expect(entries()).toBe(0)
    for (let i = 0; i < 3; i++) find(ticket, reply)
    expect(entries()).toBe(1)
    expect(decrypted()).toBe(other.length * 3 + 1)
  })
})
