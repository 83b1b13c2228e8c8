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

  // The same number of characters in headers of 500 and of 16,000 characters: quadratic time takes 32 times as long for the long headers.
  it.each<[string, (characters: number) => string]>([
    ['one long token', (n) => `Bearer ${'a'.repeat(n)}`],
    ['one long name without a value', (n) => `Bearer a=b ${'a'.repeat(n)}`],
    ['one long name in front of an open quote', (n) => `Bearer ${'a'.repeat(n / 2)}="${'b'.repeat(n / 2)}`],
    ['quotes and backslashes', (n) => `Bearer ${'"\\'.repeat(n / 2)}`],
    ['an open quote with escaped ones', (n) => `Bearer a="${'\\"'.repeat(n / 2)}`],
    ['open quotes of an error', (n) => `Bearer error="insufficient_claims", ${'"\\'.repeat(n / 2)}`],
    ['names without values', (n) => `Bearer ${'a = '.repeat(n / 4)}`],
    ['commas', (n) => `Bearer ${','.repeat(n)}`],
    ['spaces', (n) => `Bearer a=b${' '.repeat(n)}"`],
    ['schemes without parameters', (n) => `Bearer ${'a '.repeat(n / 2)}`],
  ])('is found in linear time in %s', (_, make) => {
    const [short, long] = [make(500), make(16_000)]
    const rounds = Array.from({ length: 8 }, () => [timeOf(short, 32), timeOf(long, 1)] as const)
    const least = (i: 0 | 1): number => Math.min(...rounds.map((round) => round[i]))
    expect(least(1) / least(0)).toBeLessThan(10)
  })

  it.each([
    ['an open quote in front', `Bearer x="\\", error="insufficient_claims", claims="${base64}"`, null],
    ['an open quote behind', `Bearer error="insufficient_claims", claims="${base64}", x="\\"`, claims],
    ['a long name behind', `Bearer error="insufficient_claims", claims="${base64}" ${'a'.repeat(9000)}`, claims],
    ['no space between parameters', `Bearer error="insufficient_claims"claims="${base64}"`, claims],
  ])('with %s is read as before', (_, header, expected) => {
    expect(claimsOfChallenge(header)).toBe(expected)
  })
})

function timeOf(header: string, times: number): number {
  const startMs = performance.now()
  for (let i = 0; i < times; i++) expect(claimsOfChallenge(header)).toBeNull()
  return performance.now() - startMs
}
