import { expect, test } from 'vitest'
import { createFakeClock } from '../../testing/fake-clock.ts'
import type { RedisClientPort } from '../../redis/client-port.ts'
import { RevocationMemory } from './revocation-memory.ts'
import type { Repeatable } from '../../redis/repeatable.ts'
import { defineScript } from '../../redis/script.ts'

const script = defineScript('end', 'return {}')
const step = (key: string, owner = `owner of ${key}`): Repeatable => ({
  script,
  keys: [key],
  args: [],
  removes: { key, owner },
})
const steps = (from: number, to: number): Repeatable[] =>
  Array.from({ length: to - from }, (_, i) => step(`k${from + i}`))

/** Creates a server that has these keys. */
function having(...keys: readonly string[]): { client: RedisClientPort; asked: string[] } {
  const asked: string[] = []
  const command = (key: string): Promise<number> => {
    asked.push(key)
    return Promise.resolve(keys.includes(key) ? 1 : 0)
  }
  return { client: { command } as unknown as RedisClientPort, asked }
}

test('if one of the latest keys exists again, all steps are returned, also those of keys that were not checked', async () => {
  const memory = new RevocationMemory(createFakeClock())
  memory.remember(steps(0, 100))
  const { client, asked } = having('k99')
  const forgotten = await memory.forgotten(client)
  expect([...forgotten.keys()]).toEqual(steps(0, 100).map(({ removes }) => removes?.key))
  expect(forgotten.get('k7')).toEqual(step('k7'))
  expect(asked).toHaveLength(64)
})

test('none is there, none was ended, or the server cannot say: nothing is forgotten', async () => {
  const memory = new RevocationMemory(createFakeClock())
  const { client, asked } = having('k1')
  expect((await memory.forgotten(client)).size).toBe(0)
  expect(asked).toEqual([])
  memory.remember([step('k2'), { script, keys: ['k1'], args: [] }])
  expect((await memory.forgotten(client)).size).toBe(0)
  const away = { command: () => Promise.reject(new Error('away')) } as unknown as RedisClientPort
  expect((await memory.forgotten(away)).size).toBe(0)
})

test('it holds the latest 5,000 of a day', async () => {
  const clock = createFakeClock()
  const memory = new RevocationMemory(clock)
  memory.remember(steps(0, 3000))
  memory.remember(steps(3000, 6000))
  const many = await memory.forgotten(having('k5999').client)
  expect(many.size).toBe(5000)
  expect(many.has('k999')).toBe(false)
  expect(many.has('k1000')).toBe(true)
  clock.advance(24 * 3_600_000)
  memory.remember([step('new')])
  expect([...(await memory.forgotten(having('new').client)).keys()]).toEqual(['new'])
})

test('one user takes up 250 places, and pushes out nothing of others', async () => {
  const memory = new RevocationMemory(createFakeClock())
  memory.remember([step('of another', 'grace')])
  for (let i = 0; i < 5200; i++) memory.remember([step(`k${i}`, 'ada')])
  expect(memory.has('of another')).toBe(true)
  expect([memory.has('k4949'), memory.has('k4950'), memory.has('k5199')]).toEqual([false, true, true])
  expect((await memory.forgotten(having('k5199').client)).size).toBe(251)
  // Ended again: the entry keeps one place, as the newest.
  memory.remember([step('k4950', 'ada'), step('k5200', 'ada')])
  expect([memory.has('k4950'), memory.has('k4951')]).toEqual([true, false])
})
