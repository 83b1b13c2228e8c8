import { describe, expect, it } from 'vitest'
import { shown } from './failed-checks.ts'

describe('a value of a token, shown', () => {
  it.each([
    ['app', 'app'],
    ['https://user:s3cret@idp.test/x?token=s3cret', 'https://user:•••@idp.test/x'],
    [['app', 'https://api.test/?x', 7, ['app'], null], 'app https://api.test/ a number an object an object'],
    [undefined, 'none'],
    [true, 'a boolean'],
  ])('%j: %s', (value, text) => {
    expect(shown(value)).toBe(text)
  })

  it('is one short printable line, however long or deep the value is', () => {
    const deep: unknown = JSON.parse(`${'['.repeat(50_000)}${']'.repeat(50_000)}`)
    const long = Array.from({ length: 100_000 }, () => '\u001b[2J\n')
    for (const value of [deep, [deep], long, 'x'.repeat(100_000)]) {
      expect(shown(value).length).toBeLessThan(300)
      expect(shown(value)).toMatch(/^[ -~…]+$/)
    }
  })
})
