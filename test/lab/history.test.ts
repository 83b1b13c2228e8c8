/** The history checker sees what it is for, and nothing else. */
import { expect, test } from 'vitest'
import { type Ending, History, type Read } from './history.ts'

const ending = (startMs: number, endMs: number, answer: Ending['answer'] = 'durable', sessionId = 's'): Ending => {
  return { kind: 'ending', worker: 'a', sessionId, startMs, endMs, answer }
}
const read = (startMs: number, endMs: number, answer: Read['answer'] = 'alive', sessionId = 's'): Read => {
  return { kind: 'read', worker: 'b', sessionId, startMs, endMs, answer }
}
const violationsOf = (...operations: readonly (Ending | Read)[]): number => {
  const history = new History()
  history.add(...operations)
  return history.violations().length
}

test('a session that is read after its durable ending was acknowledged is a violation, whatever came in between', () => {
  expect(violationsOf(ending(10, 20), read(21, 22))).toBe(1)
  expect(violationsOf(read(21, 22), ending(10, 20))).toBe(1)
  expect(violationsOf(ending(10, 20), read(21, 22, 'none'), read(30, 31))).toBe(1)
  expect(violationsOf(ending(10, 20), read(21, 22), read(40, 41))).toBe(2)
  expect(violationsOf(ending(10, 20), ending(50, 60), read(30, 31))).toBe(1)
  expect(violationsOf(ending(5, 6, 'not durable'), ending(10, 20), read(30, 31))).toBe(1)
})

test('what overlaps, what came before, what failed, and what was never promised is none', () => {
  expect(violationsOf(ending(10, 20), read(1, 2))).toBe(0)
  expect(violationsOf(ending(10, 20), read(15, 30))).toBe(0)
  expect(violationsOf(ending(10, 20), read(20, 30))).toBe(0)
  expect(violationsOf(ending(10, 20), read(21, 22, 'none'), read(23, 24, 'error'))).toBe(0)
  expect(violationsOf(ending(10, 20, 'not durable'), read(21, 22))).toBe(0)
  expect(violationsOf(ending(10, 20, 'error'), read(21, 22))).toBe(0)
  expect(violationsOf(ending(10, 20), read(21, 22, 'alive', 'of somebody else'))).toBe(0)
})

test('operations are recorded with the time on both sides, also those that fail', async () => {
  let now = 0
  const history = new History(() => ++now)
  expect(await history.ending('a', 's', () => Promise.resolve({ durable: true }))).toBe('durable')
  expect(await history.ending('a', 't', () => Promise.reject(new Error('away')))).toBe('error')
  expect(await history.read('b', 's', () => Promise.resolve({ session: {} }))).toBe('alive')
  expect(await history.read('b', 't', () => Promise.resolve({ session: null }))).toBe('none')
  expect(history.revocations.map(({ startMs, endMs }) => [startMs, endMs])).toEqual([
    [1, 2],
    [3, 4],
  ])
  expect(history.violations()).toEqual([{ ending: history.revocations[0], read: history.reads[0] }])
})
