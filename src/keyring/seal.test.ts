import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createKeyring, namesEntryOf } from './keyring.ts'
import { createSeal, nonceOf, type SealAddress } from './seal.ts'

const key = (): string => randomBytes(32).toString('base64')
const spec = key()
const seal = createSeal(createKeyring(spec))
const address: SealAddress = { type: 'session', kind: 'user', name: 'user:session:x', shard: 'AbCdEf' }
const plaintext = Buffer.from(JSON.stringify({ coat: 'camel hair', peg: 42 }))
const addresses = fc.record({
  type: fc.constantFrom('session', 'token', 'signin'),
  kind: fc.string({ maxLength: 12 }),
  name: fc.string({ maxLength: 40 }),
  shard: fc.stringMatching(/^[\w-]{16}$/),
}) as fc.Arbitrary<SealAddress>

describe('createSeal', () => {
  it('opens what it sealed, for any content, address and headroom', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 2000 }), addresses, fc.nat({ max: 16 }), (content, at, headroom) => {
        const record = seal.seal(Buffer.from(content), at, headroom)
        expect(seal.open(record, at, headroom)).toEqual(Buffer.from(content))
      }),
    )
  })

  it('leaves the headroom free and outside of what is authenticated', () => {
    const record = seal.seal(plaintext, address, 8)
    expect(record.subarray(0, 8)).toEqual(Buffer.alloc(8))
    record.fill(0xff, 0, 8)
    expect(seal.open(record, address, 8)).toEqual(plaintext)
    expect(nonceOf(record, 8)).toEqual(record.subarray(13, 25))
  })

  it('re-encrypts under the key that seals now: same content, length, nonce and headroom, and again the same bytes', () => {
    const both = createSeal(createKeyring([`new:${key()}`, spec, namesEntryOf(spec)]))
    const old = seal.seal(plaintext, address, 8)
    old.fill(0xab, 0, 8)
    const reencrypted = both.reencrypt(old, address, 8) as Buffer
    expect(reencrypted.subarray(0, 8)).toEqual(old.subarray(0, 8))
    expect(reencrypted).toHaveLength(old.length)
    expect(nonceOf(reencrypted, 8)).toEqual(nonceOf(old, 8))
    expect(both.open(reencrypted, address, 8)).toEqual(plaintext)
    expect(seal.open(reencrypted, address, 8)).toBe('key-unknown')
    expect(both.reencrypt(reencrypted, address, 8)).toEqual(reencrypted)
    expect(both.reencrypt(old, { ...address, name: 'elsewhere' }, 8)).toBe('unreadable')
    expect(createSeal(createKeyring(key())).reencrypt(old, address, 8)).toBe('key-unknown')
  })

  it('shows nothing of the content and never seals the same twice', () => {
    const [a, b] = [seal.seal(plaintext, address), seal.seal(plaintext, address)]
    expect(a.includes('camel')).toBe(false)
    expect(a.equals(b)).toBe(false)
  })

  it('refuses every truncation and every extension', () => {
    for (const headroom of [0, 8]) {
      const record = seal.seal(plaintext, address, headroom)
      for (let length = 0; length < record.length; length++) {
        expect(seal.open(record.subarray(0, length), address, headroom)).toBeTypeOf('string')
      }
      expect(seal.open(Buffer.concat([record, Buffer.from([0])]), address, headroom)).toBe('unreadable')
    }
  })

  it('refuses every single flipped bit', () => {
    const record = seal.seal(plaintext, address)
    for (let bit = 0; bit < record.length * 8; bit++) {
      const changed = Buffer.from(record)
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7))
      expect(seal.open(changed, address)).toBeTypeOf('string')
    }
  })

  it('refuses arbitrary bytes without an exception', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat({ max: 16 }), (bytes, headroom) => {
        expect(seal.open(Buffer.from(bytes), address, headroom)).toBeTypeOf('string')
      }),
      { numRuns: 1000 },
    )
  })

  it('refuses garbage under a genuine header', () => {
    const header = seal.seal(plaintext, address).subarray(0, 17)
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (rest) => {
        expect(seal.open(Buffer.concat([header, Buffer.from(rest)]), address)).toBe('unreadable')
      }),
      { numRuns: 1000 },
    )
  })

  it('opens under no other address: type, kind, name or shard', () => {
    fc.assert(
      fc.property(addresses, addresses, (sealedFor, openedAs) => {
        const shardOf = (a: SealAddress): string => a.shard.slice(0, 2)
        const same =
          sealedFor.type === openedAs.type &&
          sealedFor.kind === openedAs.kind &&
          sealedFor.name === openedAs.name &&
          shardOf(sealedFor) === shardOf(openedAs)
        fc.pre(!same)
        expect(seal.open(seal.seal(plaintext, sealedFor), openedAs)).toBe('unreadable')
      }),
    )
  })

  it.each<[string, Partial<SealAddress>]>([
    ['another type', { type: 'token' }],
    ['another kind', { kind: 'anonymous' }],
    ['another name', { name: 'user:session:y' }],
    ['another shard', { shard: 'BbCdEf' }],
    ['kind and name that join to the same text', { kind: 'useruser:', name: 'session:x' }],
  ])('refuses a record under %s', (_, other) => {
    expect(seal.open(seal.seal(plaintext, address), { ...address, ...other })).toBe('unreadable')
  })

  it('refuses parts of two records put together', () => {
    const [a, b] = [seal.seal(plaintext, address), seal.seal(plaintext, address)]
    for (const cut of [9, 17, 20, a.length - 16]) {
      expect(seal.open(Buffer.concat([a.subarray(0, cut), b.subarray(cut)]), address)).toBe('unreadable')
    }
  })

  it('reports an unknown key, and opens records of every key of the ring', () => {
    const record = seal.seal(plaintext, address)
    const added = key()
    const rotated = createSeal(createKeyring([added, spec, namesEntryOf(spec)]))
    expect(rotated.open(record, address)).toEqual(plaintext)
    expect(seal.open(rotated.seal(plaintext, address), address)).toBe('key-unknown')
    expect(createSeal(createKeyring(added)).open(record, address)).toBe('key-unknown')
  })

  it('refuses a record whose key tag was changed to another key of the ring', () => {
    const other = `other:${key()}`
    const ring = createKeyring([spec, other, namesEntryOf(spec)])
    const record = createSeal(ring).seal(plaintext, address)
    ring.keys[1]?.tag.copy(record, 1)
    expect(createSeal(ring).open(record, address)).toBe('unreadable')
  })

  it('uses a nonce once: 100,000 records, 100,000 nonces', () => {
    const nonces = new Set<string>()
    for (let i = 0; i < 100_000; i++) nonces.add(nonceOf(seal.seal(Buffer.alloc(0), address)).toString('latin1'))
    expect(nonces.size).toBe(100_000)
  })
})
