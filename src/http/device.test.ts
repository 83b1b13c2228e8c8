import { describe, expect, it } from 'vitest'
import { describeDevice, truncateIp } from './device.ts'

describe('device line', () => {
  it.each([
    [
      'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/149.0.0.0 Safari/537.36',
      'Chrome',
      'Linux',
    ],
    [
      'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Safari/605.1.15',
      'Safari',
      'macOS',
    ],
    ['Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0', 'Firefox', 'Windows'],
    ['curl/8.9.1', 'curl', undefined],
  ])('%s', (userAgent, browser, system) => {
    const device = describeDevice(userAgent, null)
    expect([device.browser, device.system]).toEqual([browser, system])
  })

  it.each(['', null, undefined, '\u0000\r\n', '<script>alert(1)</script>', '{"a":1}'])(
    'says nothing for %j',
    (userAgent) => {
      expect(describeDevice(userAgent, undefined)).toEqual({})
    },
  )

  it('reads the first 512 characters of a user agent only', () => {
    const firefox = 'Firefox/140.0'
    const padded = (characters: number): string => `Mozilla/5.0 (X11) ${'x'.repeat(characters)} ${firefox}`
    const spent = 'Mozilla/5.0 (X11)  '.length + firefox.length
    expect(describeDevice(padded(512 - spent), null).browser).toBe('Firefox')
    expect(describeDevice(padded(1_000_000), null).browser).toBe('Mozilla')
  })

  it.each([
    ['203.0.113.77', '203.0.113.0/24'],
    ['::ffff:203.0.113.77', '203.0.113.0/24'],
    ['2001:db8:1234:5678::1', '2001:db8:1234::/48'],
    ['::ffff:cb00:714d', '203.0.113.0/24'],
    ['0:0:0:0:0:FFFF:203.0.113.77', '203.0.113.0/24'],
    ['::ffff:127.0.0.1', '127.0.0.0/24'],
    ['2001:DB8::1', '2001:db8::/48'],
    ['2001:db8:0:1::1', '2001:db8::/48'],
    ['2001:0:5::1', '2001:0:5::/48'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1::/48'],
    ['0:0:5::1', '0:0:5::/48'],
    ['::1', '::1'],
    ['0:0:0:0:0:0:0:1', '::1'],
    ['::2', '::/48'],
    ['::', '::/48'],
    ['1::', '1::/48'],
    ['fe80::1%eth0', 'fe80::/48'],
    ['203.0.113.77, 10.0.0.1', null],
    ['app.example', null],
    ['', null],
  ])('%s becomes %s', (ip, expected) => {
    expect(truncateIp(ip)).toBe(expected)
  })
})
