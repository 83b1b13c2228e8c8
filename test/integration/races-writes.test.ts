/** Writes that race on one session, through Express, over two real processes and one real Redis. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type RaceWorld, startRaceWorld } from '../support/race-processes.ts'

const ROUNDS = 1000
const KEYS = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']

let world: RaceWorld
beforeAll(async () => {
  world = await startRaceWorld(2)
})
afterAll(() => world.close())

const newTicket = async (): Promise<string> => {
  const created = await world.auths[0]?.sessions.create({ userId: 'ada' })
  return created?.ticket ?? ''
}
const dataOf = async (ticket: string): Promise<unknown> => {
  const answer = await world.instances[0]?.send('GET', '/data', ticket)
  return (JSON.parse(answer?.body ?? '{}') as { data: unknown }).data
}

it(`8 parallel requests that write 8 keys: all 8 are kept, ${ROUNDS} times`, { timeout: 240_000 }, async () => {
  const everything = Object.fromEntries(KEYS.map((key) => [key, true]))
  for (let round = 0; round < ROUNDS; round++) {
    const ticket = await newTicket()
    const answers = await Promise.all(KEYS.map((key, i) => world.instances[i % 2]?.send('POST', `/set/${key}`, ticket)))
    expect(answers.map((answer) => answer?.status)).toEqual(KEYS.map(() => 200))
    expect(await dataOf(ticket)).toEqual(everything)
    await world.auths[0]?.sessions.revokeByUser('ada')
  }
})

it('a counter incremented by 200 parallel requests over two processes is 200, without a conflict', async () => {
  for (let round = 0; round < 10; round++) {
    const ticket = await newTicket()
    const answers = await Promise.all(
      Array.from({ length: 200 }, (_, i) => world.instances[i % 2]?.send('POST', '/count', ticket)),
    )
    expect(new Set(answers.map((answer) => answer?.status))).toEqual(new Set([200]))
    expect(await dataOf(ticket)).toEqual({ count: 200 })
  }
})
