import { expect, test } from 'vitest'
import { ServerClock } from './server-clock.ts'

test('the offset is measured against the middle of the round trip, and survives a failed measurement', async () => {
  let nowMs = 1_000_000
  const clock = new ServerClock({ now: () => nowMs, monotonic: () => nowMs })
  expect(clock.now()).toBe(1_000_000)
  await clock.measure(async () => {
    nowMs += 40
    // What the server showed when half of the round trip was over: 5 s ahead of us.
    return [Buffer.from('1005'), Buffer.from('20000')]
  })
  expect(clock.now()).toBe(nowMs + 5000)
  await expect(clock.measure(() => Promise.reject(new Error('NOPERM')))).rejects.toThrow('NOPERM')
  await clock.measure(async () => ['odd', 'reply'])
  nowMs += 500
  expect(clock.now()).toBe(nowMs + 5000)
})

test('an answer that took long is believed only against what it rules out', async () => {
  let nowMs = 1_000_000
  const clock = new ServerClock({ now: () => nowMs, monotonic: () => nowMs })
  // The server's clock is ours; the process was busy for three seconds before it saw the answer.
  await clock.measure(async () => {
    nowMs += 3000
    return [Buffer.from('1000'), Buffer.from('5000')]
  })
  expect(clock.now()).toBe(nowMs)
  await clock.measure(async () => {
    nowMs += 3000
    return [Buffer.from('1010'), Buffer.from('0')]
  })
  expect(clock.now()).toBe(nowMs + 5500)
})
