import { describe, expect, it } from 'vitest'
import { claimsOfChallenge } from './claims-challenge.ts'

const claims = '{"access_token":{"nbf":{"essential":true,"value":"1604106651"}}}'
const base64 = Buffer.from(claims).toString('base64')
const base64url = Buffer.from(claims).toString('base64url')

describe('a claims challenge', () => {
  it.each([
    [
      'as Entra ID documents it',
      `Bearer realm="", authorization_uri="https://login.example/common", error="insufficient_claims", claims="${base64}"`,
    ],
    ['base64url', `Bearer error="insufficient_claims", claims="${base64url}"`],
    ['plain JSON in a quoted text', `Bearer error="insufficient_claims", claims="${claims.replaceAll('"', '\\"')}"`],
    ['without quotes, in another case', `bearer ERROR=insufficient_claims,claims=${base64url}`],
    [
      'after another challenge',
      `Basic realm="a, Bearer error=\\"x\\"", Bearer error="insufficient_claims", claims="${base64}"`,
    ],
    ['before another challenge', `Bearer error="insufficient_claims", claims="${base64}", Basic realm="api"`],
    [
      'after one of the same scheme',
      `Bearer error="invalid_token", Bearer error="insufficient_claims", claims="${base64}"`,
    ],
    ['after a scheme without parameters', `Negotiate, Bearer error="insufficient_claims", claims="${base64}"`],
  ])('is found %s', (_, header) => {
    expect(claimsOfChallenge(header)).toBe(claims)
  })

  it.each([
    ['no header', null],
    ['an empty one', ''],
    ['another error', `Bearer error="invalid_token", claims="${base64}"`],
    ['another scheme', `DPoP error="insufficient_claims", claims="${base64}"`],
    ['a quoted text that looks like one', `Basic realm="Bearer error=insufficient_claims, claims=${base64url}"`],
    ['no claims', 'Bearer error="insufficient_claims"'],
    ['claims that are no JSON', 'Bearer error="insufficient_claims", claims="bm9wZQ=="'],
    [
      'claims that are no object',
      `Bearer error="insufficient_claims", claims="${Buffer.from('[1]').toString('base64')}"`,
    ],
    ['claims of 9 KB', `Bearer error="insufficient_claims", claims="${'A'.repeat(9000)}"`],
    ['a header of 20 KB', `Bearer ${'a=b, '.repeat(4000)}error="insufficient_claims", claims="${base64}"`],
  ])('is not seen in %s', (_, header) => {
    expect(claimsOfChallenge(header)).toBeNull()
  })

  // Quadratic or worse, it would not end within the time of a test.
  it('is looked for in linear time', () => {
    const hostile = [`Bearer ${'a'.repeat(16_000)}`, `Bearer ${'"\\'.repeat(8000)}`, `Bearer ${'a = '.repeat(4000)}`]
    for (const header of hostile) expect(claimsOfChallenge(header)).toBeNull()
  })
})
