import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { systemClock } from '../../core/clock.ts'
import { EventBus } from '../../core/events.ts'
import type { RedisClientPort } from '../../redis/client-port.ts'
import { Journal } from './journal.ts'
import { defineScript } from '../../redis/script.ts'

const script = defineScript('test', 'return 1')
const step = (name: string) => ({ script, keys: [name], args: [] })

/** A journal on a server of which only `lasting` is asked. */
function setup(isDurable = true) {
  const ran: string[] = []
  let answer = (): Promise<{ durable: boolean }> => Promise.resolve({ durable: true })
  const lasting: RedisClientPort['lasting'] = async (_script, keys) => {
    ran.push(...keys)
    return { reply: 1, ...(await answer()) }
  }
  const client = { isDurable, lasting } as unknown as RedisClientPort
  const journal = new Journal(() => client, { clock: systemClock, events: new EventBus() })
  return { journal, ran, answers: (next: typeof answer) => (answer = next) }
}

describe('journal', () => {
  it('applies again when a connection stands again, and confirms once', async () => {
    const { journal, ran } = setup()
    let confirmed = 0
    journal.keep('a', [step('a1'), step('a2')], [], () => confirmed++)
    journal.again()
    await sleep(0)
    journal.again()
    await sleep(0)
    expect([ran, confirmed, journal.size]).toEqual([['a1', 'a2'], 1, 0])
  })

  it('keeps what fails and what is not durable enough', async () => {
    const { journal, answers } = setup()
    journal.keep('a', [step('a')], [])
    answers(() => Promise.reject(new Error('down')))
    journal.again()
    await sleep(0)
    answers(() => Promise.resolve({ durable: false }))
    journal.again()
    await sleep(0)
    expect(journal.size).toBe(1)
    answers(() => Promise.resolve({ durable: true }))
    journal.again()
    await sleep(0)
    expect(journal.size).toBe(0)
  })

  it('a connection that stands again while an attempt on the one before is under way is not waited out', async () => {
    const { journal, ran, answers } = setup()
    let fail: (error: Error) => void = () => undefined
    journal.keep('a', [step('a')], [])
    answers(() => new Promise((_, reject) => (fail = reject)))
    journal.again()
    await sleep(0)
    answers(() => Promise.resolve({ durable: true }))
    journal.again()
    fail(new Error('the connection before'))
    await sleep(0)
    await sleep(0)
    expect([ran, journal.size]).toEqual([['a', 'a'], 0])
  })

  it('an entry that takes the place of an earlier one confirms that one too', async () => {
    const { journal } = setup()
    const confirmed: string[] = []
    journal.keep('a', [step('1')], [], () => confirmed.push('first'))
    journal.keep('a', [step('2')], journal.entries('a'), () => confirmed.push('second'))
    journal.again()
    await sleep(0)
    expect(confirmed).toEqual(['first', 'second'])
  })

  it('a step replaces only the entries that were there when it began', async () => {
    const { journal, ran } = setup()
    const confirmed: string[] = []
    journal.keep('a', [step('1')], [], () => confirmed.push('first'))
    const earlier = journal.entries('a')
    journal.keep('a', [step('2')], [], () => confirmed.push('second'))
    journal.overtaken(earlier)
    expect([confirmed, journal.size]).toEqual([['first'], 1])
    journal.keep('a', [step('3')], earlier, () => confirmed.push('third'))
    journal.again()
    await sleep(0)
    expect([ran, confirmed, journal.size]).toEqual([['2', '3'], ['first', 'second', 'third'], 0])
    expect(journal.entries('a')).toEqual([])
  })

  it('is bounded: the oldest is given up, and confirmed, so that no session is denied for ever', async () => {
    const { journal } = setup()
    const confirmed: number[] = []
    for (let i = 0; i <= 10_000; i++) journal.keep(`a${i}`, [step('x')], [], () => confirmed.push(i))
    expect([journal.size, confirmed]).toEqual([10_000, [0]])
    await journal.close()
  })
})
