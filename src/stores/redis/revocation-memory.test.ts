import { expect, test } from 'vitest'
import { createFakeClock } from '../../testing/fake-clock.ts'
import type { RedisClientPort } from '../../redis/client-port.ts'
import { RevocationMemory } from './revocation-memory.ts'
import type { RepeatableScript } from '../../redis/repeatable-script.ts'
import { defineScript } from '../../redis/script.ts'

const script = defineScript('end', 'return {}')
const step = (key: string, owner = `owner of ${key}`): RepeatableScript => ({
  script,
  keys: [key],
  args: [],
  removes: { key, owner },
})
const steps = (from: number, to: number): RepeatableScript[] =>
  Array.from({ length: to - from }, (_, i) => step(`k${from + i}`))

/** Returns the steps that Redis has lost. */
async function lostSteps(
  memory: RevocationMemory,
  client: RedisClientPort,
): Promise<ReadonlyMap<string, RepeatableScript>> {
  const lost = await memory.lostByRedis(client)
  if (lost === 'unknown') throw new Error('The server did not answer.')
  return lost
}

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
  const lost = await lostSteps(memory, client)
  expect([...lost.keys()]).toEqual(steps(0, 100).map(({ removes }) => removes?.key))
  expect(lost.get('k7')).toEqual(step('k7'))
  expect(asked).toHaveLength(100)
})

test('a server that only has earlier keys: the sessions of the later ones began after its dump', async () => {
  const memory = new RevocationMemory(createFakeClock())
  memory.remember(steps(0, 5000))
  const { client, asked } = having(...steps(100, 150).map(({ keys: [key = ''] }) => key))
  expect(await lostSteps(memory, client)).toHaveProperty('size', 5000)
  expect(new Set(asked).size).toBe(256)
  expect(asked.slice(-64)).toEqual(steps(4936, 5000).map(({ keys: [key] }) => key))
})

test('none is there, or none was ended: nothing is lost; the server cannot say: unknown', async () => {
  const memory = new RevocationMemory(createFakeClock())
  const { client, asked } = having('k1')
  expect((await lostSteps(memory, client)).size).toBe(0)
  expect(asked).toEqual([])
  memory.remember([step('k2'), { script, keys: ['k1'], args: [] }])
  expect((await lostSteps(memory, client)).size).toBe(0)
  const away = { command: () => Promise.reject(new Error('away')) } as unknown as RedisClientPort
  expect(await memory.lostByRedis(away)).toBe('unknown')
})

test('it holds the latest 5,000 of a day', async () => {
  const clock = createFakeClock()
  const memory = new RevocationMemory(clock)
  memory.remember(steps(0, 3000))
  memory.remember(steps(3000, 6000))
  const many = await lostSteps(memory, having('k5999').client)
  expect(many.size).toBe(5000)
  expect(many.has('k999')).toBe(false)
  expect(many.has('k1000')).toBe(true)
  clock.advance(24 * 3_600_000)
  memory.remember([step('new')])
  expect([...(await lostSteps(memory, having('new').client)).keys()]).toEqual(['new'])
})

test('one user takes up 250 places, and pushes out nothing of others', async () => {
  const memory = new RevocationMemory(createFakeClock())
  memory.remember([step('of another', 'grace')])
  for (let i = 0; i < 5200; i++) memory.remember([step(`k${i}`, 'ada')])
  expect(memory.has('of another')).toBe(true)
  expect([memory.has('k4949'), memory.has('k4950'), memory.has('k5199')]).toEqual([false, true, true])
  expect((await lostSteps(memory, having('k5199').client)).size).toBe(251)
  // Ended again: the entry keeps one place, as the newest.
  memory.remember([step('k4950', 'ada'), step('k5200', 'ada')])
  expect([memory.has('k4950'), memory.has('k4951')]).toEqual([true, false])
})
