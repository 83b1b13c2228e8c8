import { createHmac, randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { createMac } from './mac.ts'

describe('createMac', () => {
  it('equals createHmac for every message length from 0 to 300, also when lengths shrink again', () => {
    const key = randomBytes(32)
    const mac = createMac(key)
    const lengths = Array.from({ length: 301 }, (_, i) => i)
    for (const length of [...lengths, ...lengths.toReversed()]) {
      const message = randomBytes(length)
      const expected = createHmac('sha256', key).update(message).digest('hex')
      expect(Buffer.from(mac.sum(message), 'latin1').toString('hex')).toBe(expected)
    }
  })

  it('equals createHmac for keys of 1 to 64 bytes', () => {
    for (let length = 1; length <= 64; length++) {
      const key = randomBytes(length)
      const expected = createHmac('sha256', key).update('coat').digest().toString('latin1')
      expect(createMac(key).sum(Buffer.from('coat'))).toBe(expected)
    }
  })

  it('keeps several macs apart and does not change the message', () => {
    const [a, b] = [createMac(randomBytes(32)), createMac(randomBytes(32))]
    const message = Buffer.from('ticket')
    const first = a.sum(message)
    expect(b.sum(message)).not.toBe(first)
    expect(a.sum(message)).toBe(first)
    expect(message.toString()).toBe('ticket')
  })
})
