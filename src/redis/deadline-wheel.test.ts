import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { DeadlineWheel, type Expiring, TICK_MS } from './deadline-wheel.ts'

let nowMs = 0
const wheelOf = () => new DeadlineWheel({ now: () => nowMs, monotonic: () => nowMs })

beforeEach(() => {
  nowMs = 0
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'setImmediate'] })
})
afterEach(() => vi.useRealTimers())

/** Runs the event loop for this many milliseconds without a block. */
function pass(ms: number): void {
  for (let passed = 0; passed < ms; passed += TICK_MS) {
    nowMs += TICK_MS
    vi.advanceTimersByTime(TICK_MS)
  }
}

function entry(expired: string[], name: string): Expiring {
  return { settled: false, due: 0, expire: () => expired.push(name) }
}

test('expires in order, never early, at most two ticks late; a settled entry never expires', () => {
  const expired: string[] = []
  const wheel = wheelOf()
  wheel.queue(250).add(entry(expired, 'a'))
  wheel.queue(1000).add(entry(expired, 'long'))
  const settled = entry(expired, 'settled')
  wheel.queue(250).add(settled)
  settled.settled = true
  pass(100)
  wheel.queue(250).add(entry(expired, 'b'))
  pass(140)
  expect(expired).toEqual([])
  pass(30)
  expect(expired).toEqual(['a'])
  pass(100)
  expect(expired).toEqual(['a', 'b'])
  pass(700)
  expect(expired).toEqual(['a', 'b', 'long'])
})

test('a blocked event loop counts for 50 ms, and what has arrived by then is not expired', () => {
  const expired: string[] = []
  const wheel = wheelOf()
  const answered = entry(expired, 'answered')
  wheel.queue(250).add(answered)
  wheel.queue(250).add(entry(expired, 'unanswered'))
  nowMs += 5000
  vi.advanceTimersByTime(TICK_MS)
  expect(expired).toEqual([])
  // Between timers and immediates: the poll phase, in which replies are read.
  answered.settled = true
  pass(250)
  expect(expired).toEqual(['unanswered'])
})

test.each([5, 45, 400])(
  'a loop that was blocked for %i ms before an operation begins shortens no deadline',
  (blockedMs) => {
    const expired: string[] = []
    const wheel = wheelOf()
    wheel.queue(1000).add(entry(expired, 'earlier'))
    pass(100)
    nowMs += blockedMs
    const one = entry(expired, 'a')
    const queue = wheel.queue(250)
    queue.add(one)
    const beganAtMs = nowMs
    const promisedMs: number[] = []
    while (expired.length === 0) {
      promisedMs.push(nowMs + queue.leftMs(one))
      pass(TICK_MS)
    }
    expect(expired).toEqual(['a'])
    // A command that is sent again with the remaining time has missed its deadline by then, too.
    expect(Math.max(...promisedMs)).toBeLessThanOrEqual(nowMs)
    expect(nowMs - beganAtMs).toBeGreaterThanOrEqual(250)
    expect(nowMs - beganAtMs).toBeLessThanOrEqual(250 + 2 * TICK_MS)
  },
)

test('the timer stops when nothing waits, and starts again', () => {
  const expired: string[] = []
  const wheel = wheelOf()
  expect(wheel.running).toBe(false)
  wheel.queue(50).add(entry(expired, 'a'))
  expect(wheel.running).toBe(true)
  pass(2000)
  expect(wheel.running).toBe(false)
  expect(vi.getTimerCount()).toBe(0)
  nowMs += 1_000_000
  wheel.queue(50).add(entry(expired, 'b'))
  pass(40)
  expect(expired).toEqual(['a'])
  pass(40)
  expect(expired).toEqual(['a', 'b'])
})

test('many operations leave nothing behind', () => {
  const expired: string[] = []
  const wheel = wheelOf()
  const queue = wheel.queue(250)
  for (let round = 0; round < 50; round++) {
    for (let i = 0; i < 500; i++) {
      const one = entry(expired, 'x')
      queue.add(one)
      one.settled = i > 0
    }
    pass(TICK_MS)
  }
  pass(300)
  expect(expired).toHaveLength(50)
  expect(queue.isEmpty).toBe(true)
})

test('lengths are rounded up, so that there are few queues', () => {
  const wheel = wheelOf()
  expect(wheel.queue(210)).toBe(wheel.queue(250))
  expect(wheel.queue(1)).toBe(wheel.queue(50))
})
