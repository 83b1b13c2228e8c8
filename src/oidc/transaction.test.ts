import { describe, expect, it } from 'vitest'
import { systemRandom } from '../core/random.ts'
import { createKeyring } from '../keyring/keyring.ts'
import { createSeal } from '../keyring/seal.ts'
import { createTransactions, TRANSACTION_LIFE_MS } from './transaction.ts'

const asked = {
  provider: 'entra',
  issuer: 'https://idp.test',
  clientId: 'client',
  redirectUri: 'https://app.test/auth/callback',
  nonce: 'nonce-canary',
  codeVerifier: 'verifier-canary',
  returnTo: '/x',
}

function setup() {
  const records = new Map<string, Buffer>()
  const driver = {
    put: (id: string, record: Buffer) => Promise.resolve(void records.set(id, record)),
    take: (id: string) => {
      const record = records.get(id) ?? null
      records.delete(id)
      return Promise.resolve(record)
    },
  }
  const clock = { nowMs: 1_000_000, now: () => clock.nowMs, monotonic: () => clock.nowMs }
  const keyring = createKeyring(systemRandom.bytes(32).toString('base64'))
  const transactions = createTransactions({ driver, clock, keyring, seal: createSeal(keyring), random: systemRandom })
  return { records, clock, transactions }
}

describe('transactions', () => {
  it('come back once, to the browser that started them', async () => {
    const { transactions } = setup()
    const { state, browserSecret } = await transactions.open(asked)
    const taken = await Promise.all(Array.from({ length: 100 }, () => transactions.take(state, browserSecret)))
    expect(taken.filter((t) => t !== null)).toEqual([{ ...asked, createdAtMs: 1_000_000 }])
  })

  it('are used up by a wrong browser too', async () => {
    const { transactions } = setup()
    const first = await transactions.open(asked)
    const second = await transactions.open(asked)
    expect(await transactions.take(first.state, second.browserSecret)).toBeNull()
    expect(await transactions.take(first.state, first.browserSecret)).toBeNull()
    expect(await transactions.take(second.state, second.browserSecret)).not.toBeNull()
  })

  it('end after ten minutes, to the millisecond', async () => {
    const { transactions, clock } = setup()
    const a = await transactions.open(asked)
    const b = await transactions.open(asked)
    clock.nowMs += TRANSACTION_LIFE_MS - 1
    expect(await transactions.take(a.state, a.browserSecret)).not.toBeNull()
    clock.nowMs += 1
    expect(await transactions.take(b.state, b.browserSecret)).toBeNull()
  })

  it('cannot be copied, cut or changed in the store, and show nothing there', async () => {
    const { transactions, records } = setup()
    const a = await transactions.open(asked)
    const b = await transactions.open(asked)
    const record = records.get(a.id) ?? Buffer.alloc(0)
    for (const secret of [a.state, a.browserSecret, 'canary', 'idp.test']) {
      expect([record.toString('latin1'), a.id].some((text) => text.includes(secret))).toBe(false)
    }
    records.set(b.id, record)
    expect(await transactions.take(b.state, a.browserSecret)).toBeNull()
    for (const broken of [
      Buffer.alloc(0),
      record.subarray(0, 20),
      flipped(record, record.length - 20),
      flipped(record, 0),
    ]) {
      records.set(a.id, broken)
      expect(await transactions.take(a.state, a.browserSecret)).toBeNull()
    }
  })
})

function flipped(record: Buffer, at: number): Buffer {
  const copy = Buffer.from(record)
  copy[at] = (copy[at] ?? 0) ^ 1
  return copy
}
