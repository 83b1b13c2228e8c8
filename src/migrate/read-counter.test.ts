import { describe, expect, it } from 'vitest'
import { RedisError } from '../core/errors.ts'
import { EventBus } from '../core/events.ts'
import { type CountedOrigin, startReadCounter } from './read-counter.ts'
import type { ReadBatch } from './read-counts-driver.ts'

const ORIGIN: CountedOrigin = { name: 'connect-redis', mode: 'read', keyPrefix: 'sess:', keyTags: ['0a0b'] }

/** A counter whose timers and store the test drives. `isAway`: the store rejects. */
function world(origin = ORIGIN) {
  const events = new EventBus()
  const reports: ReadBatch[] = []
  const errors: string[] = []
  events.on('error', ({ operation, code }) => errors.push(`${operation} ${code}`))
  const state = { isAway: false, opened: 0, next: (): void => undefined, delayMs: 0 }
  const counter = startReadCounter(
    origin,
    events,
    async () => {
      state.opened++
      return Promise.resolve({
        add: async (batch) => {
          if (state.isAway) throw new RedisError('COATCHECK_REDIS_TIMEOUT')
          reports.push(batch)
          return Promise.resolve()
        },
        read: async () => Promise.resolve([]),
      })
    },
    (run, delayMs) => {
      Object.assign(state, { next: run, delayMs })
      return () => Object.assign(state, { next: (): void => undefined })
    },
  )
  const read = (outcome: 'adopted' | 'missing', times = 1, name = origin.name): void => {
    for (let i = 0; i < times; i++) events.emit('migration.read', { origin: name, outcome })
  }
  /** Runs the timer, and waits until the report is over. */
  const minute = async (): Promise<void> => {
    state.next()
    await new Promise(setImmediate)
  }
  return { counter, read, minute, reports, errors, state, events }
}

describe('startReadCounter', () => {
  it('opens nothing before the first report, and reports sums once a minute', async () => {
    const { read, minute, reports, state } = world()
    read('adopted', 3)
    read('missing')
    read('adopted', 5, 'another')
    expect(state).toMatchObject({ opened: 0, delayMs: 5000 })
    await minute()
    expect(state.delayMs).toBe(60_000)
    expect(reports).toEqual([
      { origin: 'connect-redis', mode: 'read', keyPrefix: 'sess:', keyTags: ['0a0b'], counts: expect.any(Map) },
    ])
    expect([...(reports[0]?.counts ?? [])]).toEqual([['adopted', 3], ['missing', 1]]) // prettier-ignore
  })

  it('reports at the start and once an hour that the origin is in use, and nothing else without reads', async () => {
    const { minute, reports } = world()
    for (let i = 0; i < 121; i++) await minute()
    expect(reports.map(({ counts }) => counts.size)).toEqual([0, 0, 0])
  })

  it('keeps counts for the next report while the store is away, and tells of each failure', async () => {
    const { read, minute, reports, errors, state } = world()
    state.isAway = true
    read('adopted', 2)
    await minute()
    read('adopted')
    await minute()
    expect(errors).toEqual(Array(2).fill('migration.count COATCHECK_REDIS_TIMEOUT'))
    state.isAway = false
    await minute()
    expect(reports.map(({ counts }) => [...counts])).toEqual([[['adopted', 3]]])
  })

  it('reports what is left when it closes, also to a store that is away, and counts nothing afterwards', async () => {
    const one = world()
    one.read('adopted')
    await one.counter.close()
    one.read('adopted')
    await one.minute()
    expect(one.reports.map(({ counts }) => [...counts])).toEqual([[['adopted', 1]]])
    const other = world()
    other.state.isAway = true
    other.read('adopted')
    await other.counter.close()
    expect(other.errors).toHaveLength(1)
  })

  it('names an origin in the counts without characters that separate fields', async () => {
    const { read, minute, reports } = world({ ...ORIGIN, name: 'my|old:store' })
    read('adopted')
    await minute()
    expect(reports[0]).toMatchObject({ origin: 'my_old_store' })
    expect(reports[0]?.counts.get('adopted')).toBe(1)
  })
})
