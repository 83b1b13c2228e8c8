import { expect, test } from 'vitest'
import { ServerClock } from './server-clock.ts'

test('the offset is measured against the middle of the round trip, and survives a failed measurement', async () => {
  let nowMs = 1_000_000
  const clock = new ServerClock({ now: () => nowMs, monotonic: () => nowMs })
  expect(clock.now()).toBe(1_000_000)
  await clock.measure(async () => {
    nowMs += 40
    // What the server showed halfway through the round trip: 5 s ahead of the local clock.
    return [Buffer.from('1005'), Buffer.from('20000')]
  })
  expect(clock.now()).toBe(nowMs + 5000)
  await expect(clock.measure(() => Promise.reject(new Error('NOPERM')))).rejects.toThrow('NOPERM')
  await clock.measure(async () => ['odd', 'reply'])
  nowMs += 500
  expect(clock.now()).toBe(nowMs + 5000)
})

test('a slow answer corrects the clock only if the clock contradicts it', async () => {
  let nowMs = 1_000_000
  const clock = new ServerClock({ now: () => nowMs, monotonic: () => nowMs })
  // Both clocks agree. The process was busy for three seconds before it saw the reply.
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
