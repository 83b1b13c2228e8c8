import { describe, expect, it } from 'vitest'
import { systemRandom } from './random.ts'

describe('systemRandom', () => {
  it('gives as many bytes as asked for, in a buffer of their own, across the edge of its pool', () => {
    for (const length of [0, 1, 12, 4095, 4096, 4097, 100_000]) {
      const bytes = systemRandom.bytes(length)
      expect(bytes).toHaveLength(length)
      expect(bytes.buffer.byteLength).toBe(length)
    }
  })

  it('repeats nothing: 100,000 draws of 16 bytes', () => {
    const seen = new Set<string>()
    for (let i = 0; i < 100_000; i++) seen.add(systemRandom.bytes(16).toString('latin1'))
    expect(seen.size).toBe(100_000)
  })

  it('does not let one caller change what another got', () => {
    const first = systemRandom.bytes(16)
    const copy = Buffer.from(first)
    systemRandom.bytes(16).fill(0)
    expect(first.equals(copy)).toBe(true)
  })
})
