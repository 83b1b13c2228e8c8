import { describe, expect, it } from 'vitest'
import { systemRandom } from '../core/random.ts'
import { createKeyring, namesEntryOf } from '../keyring/keyring.ts'
import { createSeal } from '../keyring/seal.ts'
import { CLOCK_SLACK_MS, createTransactions, TRANSACTION_LIFE_MS, type Transactions } from './transaction.ts'

const binding = { issuer: 'https://idp.test', clientId: 'client', redirectUri: 'https://app.test/auth/callback' }
const asked = {
  ...binding,
  provider: 'entra',
  nonce: 'nonce-canary',
  codeVerifier: 'verifier-canary',
  returnTo: '/x',
}
const newKey = (): string => systemRandom.bytes(32).toString('base64')

function setup(keys = newKey()) {
  const used = new Map<string, number>()
  const driver = {
    claim: (id: string, _sealedBy: Buffer, ttlMs: number) => {
      if (used.has(id)) return Promise.resolve(false)
      used.set(id, ttlMs)
      return Promise.resolve(true)
    },
  }
  const clock = { nowMs: 1_000_000, now: () => clock.nowMs, monotonic: () => clock.nowMs }
  const withKeys = (spec: string): Transactions => {
    const keyring = createKeyring(spec)
    return createTransactions({ driver, clock, keyring, seal: createSeal(keyring), random: systemRandom })
  }
  return { used, clock, withKeys, transactions: withKeys(keys) }
}

describe('transactions', () => {
  it('open as what was started, as often as wanted, and ask no store', () => {
    const { transactions, used } = setup()
    const { id, state, sealed } = transactions.start(asked)
    expect(transactions.idOf(state)).toBe(id)
    const expected = { id, provider: 'entra', nonce: 'nonce-canary', codeVerifier: 'verifier-canary', returnTo: '/x' }
    for (let i = 0; i < 2; i++) {
      expect(transactions.open(id, sealed)).toMatchObject({ ...expected, expiresAtMs: 1_000_000 + TRANSACTION_LIFE_MS })
    }
    expect(used.size).toBe(0)
  })

  it('are claimed once of 100 parallel claims, and remembered until they have expired for a slow clock, too', async () => {
    const { transactions, used, clock } = setup()
    const { id, sealed } = transactions.start(asked)
    clock.nowMs += 60_000
    const claims = Array.from({ length: 100 }, async () => {
      const transaction = transactions.open(id, sealed)
      return transaction !== null && transactions.claim(transaction)
    })
    expect((await Promise.all(claims)).filter((isFirst) => isFirst)).toHaveLength(1)
    expect([...used]).toEqual([[id, TRANSACTION_LIFE_MS - 60_000 + CLOCK_SLACK_MS]])
  })

  it('end after ten minutes, to the millisecond, and those from the future are none', () => {
    const { transactions, clock } = setup()
    const { id, sealed } = transactions.start(asked)
    const at = (nowMs: number) => {
      clock.nowMs = nowMs
      return transactions.open(id, sealed) !== null
    }
    expect(at(1_000_000 + TRANSACTION_LIFE_MS - 1)).toBe(true)
    expect(at(1_000_000 + TRANSACTION_LIFE_MS)).toBe(false)
    expect(at(1_000_000 - CLOCK_SLACK_MS)).toBe(true)
    expect(at(1_000_000 - CLOCK_SLACK_MS - 1)).toBe(false)
  })

  it('are bound to issuer, client and redirect URI', () => {
    const { transactions } = setup()
    const { id, sealed } = transactions.start(asked)
    const transaction = transactions.open(id, sealed)
    if (!transaction) throw new Error('does not open')
    expect(transactions.isBoundTo(transaction, binding)).toBe(true)
    for (const name of ['issuer', 'clientId', 'redirectUri'] as const) {
      expect(transactions.isBoundTo(transaction, { ...binding, [name]: `${binding[name]}x` })).toBe(false)
    }
  })

  it('open under no other id, not cut or changed, and show nothing', () => {
    const { transactions } = setup()
    const a = transactions.start(asked)
    const b = transactions.start(asked)
    const record = Buffer.from(a.sealed, 'base64url')
    for (const secret of [a.state, 'canary', 'idp.test']) {
      expect([record.toString('latin1'), a.sealed, a.id].some((text) => text.includes(secret))).toBe(false)
    }
    expect(transactions.open(b.id, a.sealed)).toBeNull()
    const earlierFormat = `mabcdefgh.${systemRandom.bytes(16).toString('base64url')}`
    for (const broken of [
      '',
      earlierFormat,
      'x'.repeat(5000),
      ...[record.subarray(0, 20), flipped(record, record.length - 20), flipped(record, 0), flipped(record, 20)].map(
        (bytes) => bytes.toString('base64url'),
      ),
    ]) {
      expect(transactions.open(a.id, broken)).toBeNull()
    }
  })

  it('open while the key changes, on instances that are ahead and behind, and not when it was taken out', () => {
    const first = newKey()
    const [old, next] = [`old:${first}`, `next:${newKey()}`]
    const names = namesEntryOf(first)
    const { withKeys } = setup()
    const behind = withKeys([old, next, names].join())
    const ahead = withKeys([next, old, names].join())
    const gone = withKeys([next, names].join())
    const { id, state, sealed } = behind.start(asked)
    expect(ahead.idOf(state)).toBe(id)
    expect(ahead.open(id, sealed)?.returnTo).toBe('/x')
    expect(gone.open(id, sealed)).toBeNull()
    const later = ahead.start(asked)
    expect(behind.open(later.id, later.sealed)?.returnTo).toBe('/x')
  })

  it('fit into a cookie with the longest path', () => {
    const { transactions } = setup()
    const verifier = 'v'.repeat(43)
    const longest = { ...asked, provider: 'p'.repeat(32), nonce: verifier, codeVerifier: verifier }
    const { sealed } = transactions.start({ ...longest, returnTo: `/${'x'.repeat(2047)}` })
    // The longest name of a cookie: prefix, 64 characters, "-signin-" and the id. Browsers keep 4,096 characters including the name.
    expect(sealed.length).toBeLessThan(4096 - '__Host-'.length - 64 - '-signin-'.length - 22)
    expect(transactions.start({ ...longest, returnTo: null }).sealed.length).toBeLessThan(400)
  })
})

function flipped(record: Buffer, at: number): Buffer {
  const copy = Buffer.from(record)
  copy[at] = (copy[at] ?? 0) ^ 1
  return copy
}
