import { describe, expect, it } from 'vitest'
import { isSameOrigin, navigationKind } from './origin-check.ts'

const ORIGIN = 'https://app.example'

describe('origin check', () => {
  it.each<[Record<string, string>, boolean]>([
    [{ 'sec-fetch-site': 'same-origin' }, true],
    [{ 'sec-fetch-site': 'none' }, true],
    [{ 'sec-fetch-site': 'same-site' }, false],
    [{ 'sec-fetch-site': 'cross-site' }, false],
    [{ 'sec-fetch-site': '' }, false],
    [{ 'sec-fetch-site': 'cross-site', origin: ORIGIN }, false],
    [{ origin: ORIGIN }, true],
    [{ origin: 'null' }, false],
    [{ origin: 'https://APP.example' }, false],
    [{ origin: 'http://app.example' }, false],
    [{ origin: 'https://app.example:8443' }, false],
    [{ origin: 'https://app.example.evil.test' }, false],
    [{ host: 'app.example', referer: 'https://app.example/' }, false],
    [{ 'x-forwarded-host': 'app.example', host: 'evil.test', origin: 'https://evil.test' }, false],
    [{}, false],
  ])('%j: %s', (headers, expected) => {
    expect(isSameOrigin(new Headers(headers), ORIGIN)).toBe(expected)
  })
})

describe('how a sign-in is started', () => {
  it.each<[Record<string, string>, string]>([
    [{}, 'asked'],
    [{ 'sec-fetch-dest': 'document', 'sec-fetch-site': 'none' }, 'asked'],
    [{ 'sec-fetch-dest': 'document', 'sec-fetch-site': 'same-origin' }, 'asked'],
    [{ 'sec-fetch-dest': 'document', 'sec-fetch-site': 'cross-site', 'sec-fetch-user': '?1' }, 'asked'],
    [{ 'sec-fetch-dest': 'document', 'sec-fetch-site': 'cross-site' }, 'unasked'],
    [{ 'sec-fetch-dest': 'document', 'sec-fetch-site': 'same-site' }, 'unasked'],
    [{ 'sec-fetch-dest': 'image', 'sec-fetch-site': 'same-origin' }, 'background'],
    [{ 'sec-fetch-dest': 'iframe', 'sec-fetch-site': 'cross-site', 'sec-fetch-user': '?1' }, 'background'],
    [{ 'sec-fetch-dest': 'empty' }, 'background'],
    [{ 'sec-fetch-dest': 'document', 'sec-purpose': 'prefetch;prerender' }, 'background'],
    [{ purpose: 'prefetch' }, 'background'],
  ])('%j: %s', (headers, expected) => {
    expect(navigationKind(new Headers(headers))).toBe(expected)
  })
})
