import { expect, test } from 'vitest'
import { safeJson, safeScreen } from './redact.ts'

test('a screen shows what would move its cursor, set its title or turn its text around', () => {
  const text = 'a\u001b]52;c;AAAA\u0007b\u001b[2Jc\u009b31md\u202ee\r\n\tf'
  expect(safeScreen(text, true)).toBe('a\\u001b]52;c;AAAA\\u0007b\\u001b[2Jc\\u009b31md\\u202ee\\u000d\n\tf')
})

test('colours stay where there are some, and are shown where there are none', () => {
  expect(safeScreen('\u001b[31mred\u001b[39m', true)).toBe('\u001b[31mred\u001b[39m')
  expect(safeScreen('\u001b[31mred', false)).toBe('\\u001b[31mred')
  expect(safeScreen('größer ✔ 漢字', false)).toBe('größer ✔ 漢字')
})

test('JSON is the same value, without characters that a terminal obeys', () => {
  const value = { device: 'a\u009b2Jb\u202ec\u2028d', name: 'größer' }
  const json = safeJson(JSON.stringify(value))
  expect(json).not.toMatch(/[\u007f-\u009f\u2028\u202e]/)
  expect(JSON.parse(json)).toEqual(value)
})
