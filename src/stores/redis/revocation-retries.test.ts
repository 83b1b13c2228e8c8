import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it, vi } from 'vitest'
import { systemClock } from '../../core/clock.ts'
import { EventBus } from '../../core/events.ts'
import type { RedisClientPort } from '../../redis/client-port.ts'
import { RevocationRetries } from './revocation-retries.ts'
import { defineScript } from '../../redis/script.ts'

const script = defineScript('test', 'return 1')
const step = (name: string) => ({ script, keys: [name], args: [] })

/** Retries with a fake server that only implements `lasting`. */
function setup(isDurable = true) {
  const ran: string[] = []
  let answer = (): Promise<{ durable: boolean }> => Promise.resolve({ durable: true })
  const lasting: RedisClientPort['lasting'] = async (_script, keys) => {
    ran.push(...keys)
    return { reply: 1, ...(await answer()) }
  }
  let exists = (): Promise<number> => Promise.resolve(0)
  const client = { isDurable, lasting, command: () => exists() } as unknown as RedisClientPort
  const retries = new RevocationRetries(() => client, { clock: systemClock, events: new EventBus() })
  return {
    retries,
    ran,
    answers: (next: typeof answer) => (answer = next),
    finds: (next: typeof exists) => (exists = next),
  }
}

describe('revocation retries', () => {
  it('applies again when a connection stands again, and confirms once', async () => {
    const { retries, ran } = setup()
    let confirmed = 0
    retries.keep('a', [step('a1'), step('a2')], [], () => confirmed++)
    retries.again()
    await sleep(0)
    retries.again()
    await sleep(0)
    expect([ran, confirmed, retries.size]).toEqual([['a1', 'a2'], 1, 0])
  })

  it('keeps what fails and what is not durable enough', async () => {
    const { retries, answers } = setup()
    retries.keep('a', [step('a')], [])
    answers(() => Promise.reject(new Error('down')))
    retries.again()
    await sleep(0)
    answers(() => Promise.resolve({ durable: false }))
    retries.again()
    await sleep(0)
    expect(retries.size).toBe(1)
    answers(() => Promise.resolve({ durable: true }))
    retries.again()
    await sleep(0)
    expect(retries.size).toBe(0)
  })

  it('asks once more whether Redis has lost a revocation if it did not answer', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    try {
      const { retries, ran, finds } = setup()
      retries.remember([{ ...step('a'), removes: { key: 'session', owner: 'ada' } }])
      finds(() => Promise.reject(new Error('down')))
      retries.again()
      await vi.advanceTimersByTimeAsync(400)
      finds(() => Promise.resolve(1))
      expect(ran).toEqual([])
      await vi.advanceTimersByTimeAsync(100)
      expect(ran).toEqual(['a'])
    } finally {
      vi.useRealTimers()
    }
  })

  it('a connection that stands again while an attempt on the one before is under way is not waited out', async () => {
    const { retries, ran, answers } = setup()
    let fail: (error: Error) => void = () => undefined
    retries.keep('a', [step('a')], [])
    answers(() => new Promise((_, reject) => (fail = reject)))
    retries.again()
    await sleep(0)
    answers(() => Promise.resolve({ durable: true }))
    retries.again()
    fail(new Error('the connection before'))
    await sleep(0)
    await sleep(0)
    expect([ran, retries.size]).toEqual([['a', 'a'], 0])
  })

  it('an entry that takes the place of an earlier one confirms that one too', async () => {
    const { retries } = setup()
    const confirmed: string[] = []
    retries.keep('a', [step('1')], [], () => confirmed.push('first'))
    retries.keep('a', [step('2')], retries.entries('a'), () => confirmed.push('second'))
    retries.again()
    await sleep(0)
    expect(confirmed).toEqual(['first', 'second'])
  })

  it('a step replaces only the entries that were there when it began', async () => {
    const { retries, ran } = setup()
    const confirmed: string[] = []
    retries.keep('a', [step('1')], [], () => confirmed.push('first'))
    const earlier = retries.entries('a')
    retries.keep('a', [step('2')], [], () => confirmed.push('second'))
    retries.overtaken(earlier)
    expect([confirmed, retries.size]).toEqual([['first'], 1])
    retries.keep('a', [step('3')], earlier, () => confirmed.push('third'))
    retries.again()
    await sleep(0)
    expect([ran, confirmed, retries.size]).toEqual([['2', '3'], ['first', 'second', 'third'], 0])
    expect(retries.entries('a')).toEqual([])
  })

  it('is bounded: the oldest is given up, and confirmed, so that no session is denied for ever', async () => {
    const { retries } = setup()
    const confirmed: number[] = []
    for (let i = 0; i <= 10_000; i++) retries.keep(`a${i}`, [step('x')], [], () => confirmed.push(i))
    expect([retries.size, confirmed]).toEqual([10_000, [0]])
    await retries.close()
  })
})
