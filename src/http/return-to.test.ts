import { describe, expect, it } from 'vitest'
import { safeReturnTo } from './return-to.ts'

const ORIGIN = 'https://app.example'
const check = (value: unknown) => safeReturnTo(value, ORIGIN, '/auth')

describe('returnTo', () => {
  it.each([
    ['/', '/'],
    ['/orders', '/orders'],
    ['/orders?page=2&q=a%20b#top', '/orders?page=2&q=a%20b#top'],
    ['/a b', '/a%20b'],
    ['/ä', '/%C3%A4'],
    ['/a/../b', '/b'],
    ['/x?next=https://evil.test', '/x?next=https://evil.test'],
    ['/x&scope=admin', '/x&scope=admin'],
    ['/user@evil.test', '/user@evil.test'],
    ['/。/evil', '/%E3%80%82/evil'],
    ['/authors', '/authors'],
    ['/a//b', '/a//b'],
    [`/${'x'.repeat(2047)}`, `/${'x'.repeat(2047)}`],
  ])('accepts %j', (value, expected) => {
    expect(check(value)).toBe(expected)
    expect(new URL(expected, ORIGIN).origin).toBe(ORIGIN)
  })

  it.each([
    '',
    'orders',
    ' /orders',
    '.',
    '//evil.test',
    '///evil.test',
    '////evil.test',
    '/\\evil.test',
    '\\/evil.test',
    '\\\\evil.test',
    '/\t/evil.test',
    '/\n/evil.test',
    '/\r\n/evil.test',
    '/a\r\nSet-Cookie: x=1',
    '/\0/evil',
    '/\u007f',
    '/%09/evil.test',
    '/%0d%0aSet-Cookie:x',
    '/%5cevil.test',
    '/%5Cevil.test',
    '/%2fevil.test',
    '/%2F/evil.test',
    '/%20/evil.test',
    '/.//evil.test',
    '/./\\evil.test',
    '/a/..//evil.test',
    '/x/../..//evil.test',
    '/%2e//evil.test',
    '/%2e%2e//evil.test',
    'https:evil.test',
    'https:/evil.test',
    'https://evil.test',
    'https://app.example/x',
    'http://app.example/',
    'https://app.example@evil.test',
    'https://app.example.evil.test',
    'HTTPS://EVIL.TEST',
    'javascript:alert(1)',
    'data:text/html,x',
    '//app.example',
    '//evil。test',
    '//evil%E3%80%82test',
    '／／evil.test',
    '\u2028/evil',
    '?x',
    '#x',
    '/auth',
    '/auth/login',
    '/auth/logout?x',
    '/x/../auth/login',
    `/${'a'.repeat(2048)}`,
  ])('drops %j', (value) => {
    expect(check(value)).toBeNull()
  })

  it.each([undefined, null, 1, {}, ['/x'], { toString: () => '/x' }])('drops what is no text: %j', (value) => {
    expect(check(value)).toBeNull()
  })

  it('whatever it accepts stays on the origin, also when resolved again: 20,000 random texts', () => {
    const alphabet = [
      '/',
      '\\',
      '.',
      '%',
      '2',
      'f',
      '5',
      'c',
      '0',
      '9',
      '@',
      ':',
      '?',
      '#',
      '\t',
      '\n',
      ' ',
      'e',
      '。',
      '／',
      '\u00a0',
    ]
    let seed = 7
    const next = (max: number) => (seed = (seed * 1103515245 + 12345) & 0x7fffffff) % max
    for (let i = 0; i < 20_000; i++) {
      const value = `/${Array.from({ length: next(9) }, () => alphabet[next(alphabet.length)]).join('')}e.test`
      const path = check(value)
      if (path === null) continue
      expect(new URL(path, ORIGIN).origin).toBe(ORIGIN)
      expect(path).toMatch(/^\/(?![/\\])/)
      expect(check(path)).toBe(path)
    }
  })
})
