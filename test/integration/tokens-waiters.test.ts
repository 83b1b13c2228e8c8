/** Those who wait while another process refreshes: how soon they have the token, what waiting costs, and leaving early. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  expiredTokens,
  failuresOf,
  startTokenEndpoint,
  startTokenWorld,
  tokensOf,
  type TokenEndpoint,
  type TokenWorld,
} from '../support/token-instances.ts'

let endpoint: TokenEndpoint & { stop(): Promise<void> }
let world: TokenWorld
beforeAll(async () => {
  endpoint = await startTokenEndpoint('strict')
  world = await startTokenWorld(endpoint)
})
afterAll(async () => {
  await Promise.all([world.stop(), endpoint.stop()])
})

async function expired(userId: string): Promise<void> {
  const [refreshToken = ''] = await endpoint.issue([userId])
  await world.instances[0]?.store([{ userId, tokens: expiredTokens(refreshToken) }])
  await endpoint.clear()
}

/** Of every command but those of the tests themselves. */
async function commandCalls(): Promise<number> {
  const lines = (await world.redis.cli('info', 'commandstats')).split('\n')
  return lines
    .filter((line) => line.startsWith('cmdstat_') && !/^cmdstat_(?:info|config|ping|time)/.test(line))
    .reduce((sum, line) => sum + Number(/calls=(\d+)/.exec(line)?.[1] ?? 0), 0)
}

describe('waiters in other processes', () => {
  it('have the token within 50 ms of the answer of the provider, 100 rounds', async () => {
    const delays: number[] = []
    for (let round = 0; round < 100; round++) {
      const userId = `fast-${String(round)}`
      await expired(userId)
      // Long enough to be waiting for, and different each time, so that no poll meets the answer by its rhythm.
      await endpoint.fail({ delayMs: 60 + round })
      const answers = (await Promise.all(world.instances.map((instance) => instance.ask(userId)))).flat()
      const requests = await endpoint.requests()
      expect(failuresOf(answers)).toEqual([])
      expect(requests).toHaveLength(1)
      delays.push(...answers.map(({ atMs }) => atMs - (requests[0]?.answeredAtMs ?? 0)))
    }
    delays.sort((a, b) => a - b)
    const quantile = (part: number): number => Math.round(delays[Math.floor(delays.length * part)] ?? 0)
    const seen = { median: quantile(0.5), p99: quantile(0.99) }
    expect(seen.median, JSON.stringify(seen)).toBeLessThan(50)
    // A poll alone would take up to a second.
    expect(seen.p99, JSON.stringify(seen)).toBeLessThan(250)
  })

  it('ask Redis a bounded number of times, however many they are and however long it takes', async () => {
    await expired('patient')
    await endpoint.fail({ delayMs: 5000 })
    await world.redis.cli('config', 'resetstat')
    const answers = (await Promise.all(world.instances.map((instance) => instance.ask('patient', {}, 50)))).flat()
    expect(failuresOf(answers)).toEqual([])
    expect(await endpoint.requests()).toHaveLength(1)
    // One look each; the rest is per process: one flight, which looks again at most about once a second.
    const perProcess = ((await commandCalls()) - answers.length) / world.instances.length
    expect(perProcess).toBeLessThan(60)
  })
})

describe("a caller's AbortSignal", () => {
  it('frees that caller alone, in the process that refreshes and in one that waits', async () => {
    await expired('impatient')
    await endpoint.close()
    const [first, second, third] = world.instances
    const patient = [first?.ask('impatient', {}, 3), second?.ask('impatient', {}, 3)]
    await endpoint.arrival(1)
    const startedMs = performance.timeOrigin + performance.now()
    const leaving = [first, second, third].map((instance) => instance?.ask('impatient', { abortAfterMs: 100 }))
    const left = (await Promise.all(leaving)).flatMap((answers) => answers ?? [])
    expect(left.map(({ token }) => token)).toEqual([null, null, null])
    expect(Math.max(...left.map(({ atMs }) => atMs)) - startedMs).toBeLessThan(1000)
    await endpoint.open()
    const answers = (await Promise.all(patient)).flatMap((some) => some ?? [])
    expect(failuresOf(answers)).toEqual([])
    expect(tokensOf(answers)).toHaveLength(1)
    expect(await endpoint.requests()).toHaveLength(1)
    expect(tokensOf((await third?.ask('impatient')) ?? [])).toEqual(tokensOf(answers))
  })
})
