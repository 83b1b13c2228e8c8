/** The search for secrets has to find them: a test that looks for nothing proves nothing. */
import { randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { searchFor } from './canaries.ts'

const token = `${randomBytes(20).toString('base64url')}.${randomBytes(60).toString('base64url')}.${randomBytes(64).toString('base64url')}`
const opaque = randomBytes(32).toString('base64url')
const key = randomBytes(32).toString('base64')
const bytes = randomBytes(32)
const mail = 'ada+coats@example.test'
const search = searchFor([
  { kind: 'token', value: token },
  { kind: 'opaque', value: opaque },
  { kind: 'key', value: key },
  { kind: 'bytes', value: bytes },
  { kind: 'mail', value: mail },
])
const around = (content: string | Buffer): Buffer =>
  Buffer.concat([randomBytes(1000), Buffer.from(content), randomBytes(1000)])
const kindsIn = (content: string | Buffer): string[] => [
  ...new Set(search.find('here', around(content)).map(({ kind }) => kind)),
]

describe('searchFor', () => {
  it.each([
    ['token', token],
    ['opaque', opaque],
    ['key', key],
    ['mail', mail],
  ])('finds a %s in every form', (kind, value) => {
    const text = Buffer.from(value)
    expect(kindsIn(value)).toEqual([kind])
    expect(kindsIn(encodeURIComponent(value))).toEqual([kind])
    expect(kindsIn(text.toString('hex'))).toEqual([kind])
    expect(kindsIn(text.toString('hex').toUpperCase())).toEqual([kind])
    for (const before of ['', 'x', 'xy', 'xyz']) {
      const longer = Buffer.from(`${before}${value}","more"`)
      expect(kindsIn(longer.toString('base64'))).toEqual([kind])
      expect(kindsIn(longer.toString('base64url'))).toEqual([kind])
      expect(kindsIn(encodeURIComponent(longer.toString('base64')))).toEqual([kind])
    }
  })

  it('finds the bytes that a text stands for, and bytes that are none', () => {
    expect(kindsIn(Buffer.from(opaque, 'base64url'))).toEqual(['opaque'])
    expect(kindsIn(Buffer.from(opaque, 'base64url').toString('hex'))).toEqual(['opaque'])
    expect(kindsIn(Buffer.from(key, 'base64'))).toEqual(['key'])
    expect(kindsIn(bytes)).toEqual(['bytes'])
    expect(kindsIn(bytes.toString('base64url'))).toEqual(['bytes'])
  })

  it('finds the parts of a token that are of use alone', () => {
    const [, payload, signature] = token.split('.')
    expect(kindsIn(payload!)).toEqual(['token'])
    expect(kindsIn(signature!)).toEqual(['token'])
  })

  it('finds nothing where nothing is, and refuses what would be found everywhere', () => {
    expect(kindsIn(randomBytes(100_000))).toEqual([])
    expect(kindsIn(opaque.slice(0, -3))).toEqual([])
    expect(() => searchFor([{ kind: 'pin', value: '1234' }])).toThrow('too short')
  })

  it('says what and where, never the value', () => {
    const findings = search.find('the log', `x${opaque}x`)
    expect(findings).toContainEqual({ kind: 'opaque', form: 'raw', place: 'the log' })
    expect(JSON.stringify(findings)).not.toContain(opaque)
  })
})
