import fc from 'fast-check'
import { expect, it } from 'vitest'
import { type JsonObject, mergeChanges } from './json-merge.ts'

it.each<[string, JsonObject, JsonObject, JsonObject, JsonObject]>([
  ['disjoint fields are all kept', { a: 1 }, { a: 1, b: 2 }, { a: 1, c: 3 }, { a: 1, b: 2, c: 3 }],
  ['a removed field is removed', { a: 1, b: 2 }, { b: 2 }, { a: 1, b: 2, c: 3 }, { b: 2, c: 3 }],
  ['a field that others removed stays so', { a: 1 }, { a: 1, b: 2 }, {}, { b: 2 }],
  ['the same field: the later wins', { a: 1 }, { a: 2 }, { a: 3 }, { a: 2 }],
  [
    'objects are merged',
    { o: { a: 1, d: { x: 1 } } },
    { o: { a: 2, d: { x: 1 } } },
    { o: { a: 1, d: { x: 1, y: 2 } } },
    { o: { a: 2, d: { x: 1, y: 2 } } },
  ],
  ['arrays are one value', { l: [1] }, { l: [1, 2] }, { l: [1, 3] }, { l: [1, 2] }],
  ['an object in place of a value', { a: 1 }, { a: { b: 1 } }, { a: 1 }, { a: { b: 1 } }],
])('%s', (_name, before, after, stored, merged) => {
  expect(mergeChanges(before, after, stored)).toEqual(merged)
})

it('a field called __proto__ is a field', () => {
  const evil = JSON.parse('{"__proto__":{"polluted":true}}') as JsonObject
  const merged = mergeChanges({}, evil, { a: 1 })
  expect(Object.hasOwn(merged, '__proto__')).toBe(true)
  expect((merged as { polluted?: unknown }).polluted).toBeUndefined()
  expect(({} as { polluted?: unknown }).polluted).toBeUndefined()
})

const json = fc.dictionary(
  fc.constantFrom('a', 'b', 'c', 'd'),
  fc.jsonValue({ maxDepth: 2 }),
) as fc.Arbitrary<JsonObject>

it('without changes of others the result is what was handed back; without own changes it is what is stored', () => {
  fc.assert(
    fc.property(json, json, (before, after) => {
      expect(mergeChanges(before, after, before)).toEqual(after)
      expect(mergeChanges(before, before, after)).toBe(after)
    }),
  )
})
