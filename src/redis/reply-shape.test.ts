import { expect, test } from 'vitest'
import { listReply, stringsReply } from './reply-shape.ts'

const FOREIGN = { code: 'COATCHECK_REDIS_MISALIGNED_REPLIES' }
const text = Buffer.from('text')

test('a reply of the right shape is passed on as it is', () => {
  const list = [1, text, null, [2]]
  expect(listReply(list)).toBe(list)
  expect(listReply(list, 4)).toBe(list)
  const strings = [text, null]
  expect(stringsReply(strings, 2)).toBe(strings)
  expect(stringsReply([])).toEqual([])
})

test.each([[null], [1], [text]])('%o is no list', (reply) => {
  expect(() => listReply(reply)).toThrow(expect.objectContaining(FOREIGN))
  expect(() => stringsReply(reply)).toThrow(expect.objectContaining(FOREIGN))
})

test('a list of another length, and one with something else in it, is foreign', () => {
  expect(() => listReply([text], 2)).toThrow(expect.objectContaining(FOREIGN))
  expect(() => stringsReply([text, null], 3)).toThrow(expect.objectContaining(FOREIGN))
  expect(() => stringsReply([text, 1])).toThrow(expect.objectContaining(FOREIGN))
  expect(() => stringsReply([[text]])).toThrow(expect.objectContaining(FOREIGN))
})
