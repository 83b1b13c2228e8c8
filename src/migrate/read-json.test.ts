import { expect, it } from 'vitest'
import { isTooDeep, readJson, readJsonArray } from './read-json.ts'

const nested = (depth: number, inside = ''): string => `${'['.repeat(depth)}${inside}${']'.repeat(depth)}`

it('reads JSON up to a depth of 256', () => {
  expect(readJsonArray(nested(256))).not.toBeNull()
  expect(readJsonArray(nested(257))).toBeNull()
  expect(readJson(`{"a":${nested(256)}}`)).toBeNull()
  expect(readJson('{"a":'.repeat(100_000))).toBeNull()
})

it('counts no bracket inside a string, whatever the string escapes', () => {
  const brackets = '[{'.repeat(1000)
  for (const text of [brackets, `"${brackets}`, `\\${brackets}`, `${brackets}\\`, `\\"${brackets}\\\\"`]) {
    expect(readJson(JSON.stringify({ text }))).toMatchObject({ text })
    expect(isTooDeep(`${JSON.stringify(text)}${nested(300)}`)).toBe(true)
  }
})

it('counts many values beside each other as one level', () => {
  expect(readJsonArray(JSON.stringify(Array.from({ length: 1000 }, () => [{}])))).toHaveLength(1000)
})
