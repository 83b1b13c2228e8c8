import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { describeValue, showValue, safeText, safeUrl } from './redact.ts'

describe('safeText', () => {
  it('is one printable line, whatever comes in', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 400 }), (text) => {
        const shown = safeText(text)

        expect(shown).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/)
      }),
    )
    expect(safeText('a\r\nb\u001b[31m\u202e')).toBe('a\\u000d\\u000ab\\u001b[31m\\u202e')
  })

  it('is bounded', () => {
    expect(safeText('x'.repeat(10_000))).toHaveLength(201)
    expect(safeText('abcdef', 3)).toBe('abc…')
  })
})

describe('safeUrl', () => {
  it.each([
    ['redis://:s3cret@cache:6379/1', 'redis://:•••@cache:6379/1'],
    ['rediss://app:s3cret@cache:6379?token=s3cret#s3cret', 'rediss://app:•••@cache:6379'],
    ['https://login.example/tenant/v2.0', 'https://login.example/tenant/v2.0'],
  ])('%s', (given, shown) => {
    expect(safeUrl(given)).toBe(shown)
  })

  it('shows nothing of what is no URL', () => {
    expect(safeUrl('//app:s3cret@cache')).toBe('a text of 18 characters that is no URL')
  })

  it('never fails and never shows a password', () => {
    fc.assert(
      fc.property(
        fc.stringMatching(/^[\w%~-]{6,20}$/),
        fc.constantFrom('redis', 'rediss', 'https', 'unix'),
        (password, scheme) => {
          const url = `${scheme}://user:zq${password}qz@host:1/0`
          expect(safeUrl(url)).not.toContain(`zq${password}qz`)
        },
      ),
    )
  })
})

describe('showValue', () => {
  it.each([
    ['contoso.onmicrosoft.com', '"contoso.onmicrosoft.com"'],
    ['localhost:3000', '"localhost:3000"'],
    ['https://app.example.com/path', '"https://app.example.com/path"'],
    ['AAAAAAAA-2222-3333-4444-5555555555b5', '"AAAAAAAA-2222-3333-4444-5555555555b5"'],
    ['https://user:zqpassqz@app.example.com', '"https://•••@app.example.com"'],
    ['user:zqpassqz@cache:6379', '"•••@cache:6379"'],
    ['https://app.example.com/?code=zqpassqz', '"https://app.example.com/?•••"'],
    ['redis://user:zq/pass@qz,x@cache:6379', '"redis://•••@cache:6379"'],
    [
      'https://login.example/2b9c7c7e-3a52-4a52-8d0a-c0a7c4ec0000/v2.0',
      '"https://login.example/2b9c7c7e-3a52-4a52-8d0a-c0a7c4ec0000/v2.0"',
    ],
    ['/assets/images/logo-0123456789.svg', '"/assets/images/logo-0123456789.svg"'],
    ['10.20.30.40:6379', '"10.20.30.40:6379"'],
    ['my-application-0123456789.azurewebsites.net', '"my-application-0123456789.azurewebsites.net"'],
    ['line\nbreak', '"line\\u000abreak"'],
    ['', 'an empty text'],
    [7, '7'],
    [['zqpassqz'], 'an array of 1'],
  ])('%j: %s', (value, shown) => {
    expect(showValue(value)).toBe(shown)
  })

  it.each([
    '{planted-s3cret-0123456789}',
    'abc8Q~zqpassqzZQPASSQZ0123456789',
    'Zm9vYmFyYmF6cXV4MTIzNDU2Nzg5MGFiY2RlZg==',
    'N2e+pELH1EmNe2XPM/2gYRswy/motEGNSx2J3K1Lk/Q=',
    'k1:6101+BkMiHPIHzTLUO//XWkF6T7v18Je',
    '/k3VtEXo70FLBN7/UPfXfCK0kBsg4M32IWLv',
    'ab3c.defghijklmnopqrstuvwxyz0123456789',
    'id://xwX2p7PpN/1TXRMu0bNC/m5S4Kc1',
  ])('describes %s, which looks like a secret in the wrong place', (value) => {
    expect(showValue(value)).toBe(`a text of ${value.length} characters`)
  })
})

describe('showValue of a generated secret', () => {
  it.each([24, 32, 48])('shows none of 5,000 keys of %d bytes', (bytes) => {
    const keys = Array.from({ length: 5000 }, () => randomBytes(bytes))
    const texts = keys.flatMap((key) => [key.toString('base64'), key.toString('hex'), key.toString('base64url')])
    expect(texts.filter((text) => showValue(text).startsWith('"'))).toEqual([])
    expect(texts.filter((text) => showValue(`id:${text}`).startsWith('"'))).toEqual([])
  })
})

describe('describeValue', () => {
  it.each([
    [null, 'null'],
    [undefined, 'undefined'],
    ['', 'an empty text'],
    ['s3cret', 'a text of 6 characters'],
    [5, '5'],
    [true, 'true'],
    [[1, 2], 'an array of 2'],
    [{ s3cret: 1 }, 'an object'],
    [() => 's3cret', 'a function'],
    [Symbol('s3cret'), 'an object'],
  ])('says what it is, not what it holds', (value, described) => {
    expect(describeValue(value)).toBe(described)
  })
})
