import { randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { createKeyring, namesEntryOf } from './keyring.ts'

const key = (): string => randomBytes(32).toString('base64')
const thrownBy = (fn: () => unknown): Error & { code?: string } => {
  try {
    fn()
  } catch (error) {
    return error as Error
  }
  throw new Error('nothing was thrown')
}

describe('createKeyring', () => {
  it('takes base64 and base64url, with and without id, as text or array', () => {
    const [a, b, names] = [key(), randomBytes(32).toString('base64url'), key()]
    const text = createKeyring(`2026:${a}, ${b} ,names:${names}`)
    const list = createKeyring([`2026:${a}`, b, `names:${names}`])
    expect(text.keys.map((k) => k.id)).toEqual(list.keys.map((k) => k.id))
    expect(text.active.id).toBe('2026')
    expect(text.userKey('ada')).toBe(list.userKey('ada'))
  })

  it('gives a key without id one that says nothing about it, and a tag of four bytes', () => {
    const spec = key()
    const ring = createKeyring(spec)
    expect(ring.active.id).toMatch(/^[0-9a-f]{8}$/)
    expect(Buffer.from(spec, 'base64').toString('hex')).not.toContain(ring.active.id)
    expect(ring.active.tag).toHaveLength(4)
    expect(createKeyring(spec).active.id).toBe(ring.active.id)
  })

  it.each([
    ['too short', () => randomBytes(31).toString('base64')],
    ['too long', () => randomBytes(33).toString('base64')],
    ['not base64', () => '*'.repeat(43)],
    ['a passphrase', () => 'correct horse battery staple'],
    ['one byte repeated', () => Buffer.alloc(32, 7).toString('base64')],
    ['an id with a space', () => `a b:${key()}`],
    ['an empty id', () => `:${key()}`],
    ['an id that is too long', () => `${'x'.repeat(33)}:${key()}`],
    ['a bad second entry', () => `${key()},${key()}x==,names:${key()}`],
  ])('refuses %s without showing it', (_, make) => {
    const spec = make()
    const error = thrownBy(() => createKeyring(spec))
    expect(error).toMatchObject({ name: 'KeyringError', code: 'COATCHECK_KEY_INVALID' })
    for (const part of spec.split(/[,:]/).filter((p) => p.length > 8)) {
      expect(`${error.message}${error.stack ?? ''}${JSON.stringify(error)}`).not.toContain(part)
    }
  })

  it('refuses the same key, the same id and two names entries', () => {
    const same = key()
    for (const spec of [`a:${same},b:${same},names:${key()}`, `a:${key()},a:${key()},names:${key()}`]) {
      expect(thrownBy(() => createKeyring(spec))).toMatchObject({ code: 'COATCHECK_KEY_INVALID' })
    }
    const twoNames = `${key()},names:${key()},names:${key()}`
    expect(thrownBy(() => createKeyring(twoNames))).toMatchObject({ code: 'COATCHECK_KEY_INVALID' })
  })

  it('wants a names entry with two keys, and a key that seals', () => {
    const missing = { name: 'ConfigError', code: 'COATCHECK_CONFIG_MISSING' }
    expect(thrownBy(() => createKeyring(`${key()},${key()}`))).toMatchObject(missing)
    expect(thrownBy(() => createKeyring(`names:${key()}`))).toMatchObject(missing)
    expect(thrownBy(() => createKeyring(' , '))).toMatchObject(missing)
    expect(thrownBy(() => createKeyring([]))).toMatchObject(missing)
  })

  it('keeps the names of users when a key is added with the names entry of the first', () => {
    const [old, added] = [key(), key()]
    const before = createKeyring(old)
    const after = createKeyring([added, old, namesEntryOf(old)])
    expect(after.userKey('ada')).toBe(before.userKey('ada'))
    expect(after.nameOf('sid', 'x')).toBe(before.nameOf('sid', 'x'))
    // The names also stay the same after the first key is removed.
    expect(createKeyring([added, namesEntryOf(old)]).userKey('ada')).toBe(before.userKey('ada'))
    expect(createKeyring(added).userKey('ada')).not.toBe(before.userKey('ada'))
  })

  it('makes names of fixed length that say nothing and do not run into each other', () => {
    const ring = createKeyring(key())
    expect(ring.userKey('ada@example.test')).toMatch(/^[\w-]{16}$/)
    expect(ring.nameOf('sid', 'ada@example.test')).toMatch(/^[\w-]{22}$/)
    expect(ring.nameOf('a', 'bc')).not.toBe(ring.nameOf('ab', 'c'))
    expect(ring.userKey('Ada')).not.toBe(ring.userKey('ada'))
  })

  it('derives a data key per key, type and shard, the same one again, and none for an unknown tag', () => {
    const ring = createKeyring([key(), key(), `names:${key()}`])
    const bytes = (tag: Buffer, type: string, shard: string): string =>
      ring.dataKey(tag, 0, type, shard)?.export().toString('hex') ?? 'none'
    const [first, second] = ring.keys.map((k) => k.tag) as [Buffer, Buffer]
    const all = [
      bytes(first, 'session', 'AAxx'),
      bytes(first, 'session', 'AQxx'),
      bytes(first, 'token', 'AAxx'),
      bytes(second, 'session', 'AAxx'),
    ]
    expect(new Set(all).size).toBe(4)
    expect(bytes(first, 'session', 'AAother')).toBe(all[0])
    expect(bytes(Buffer.from([1, 2, 3, 4]), 'session', 'AA')).toBe('none')
  })

  it('spreads records over 256 data keys by the first byte of the shard', () => {
    const ring = createKeyring(key())
    const keyOf = (byte: number, next: number): string =>
      ring
        .dataKey(ring.active.tag, 0, 'session', Buffer.from([byte, next]).toString('base64url'))
        ?.export()
        .toString('hex') ?? ''
    const keys = Array.from({ length: 256 }, (_, byte) => keyOf(byte, 0))
    expect(new Set(keys).size).toBe(256)
    expect(Array.from({ length: 256 }, (_, byte) => keyOf(byte, 255))).toEqual(keys)
  })
})
