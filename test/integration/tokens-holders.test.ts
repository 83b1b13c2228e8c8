/** What becomes of the lease when its holder is slow, blocked, paused or dead. Real time is the point: these tests take some. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import {
  type Answer,
  expiredTokens,
  failuresOf,
  type Instance,
  startTokenEndpoint,
  startTokenWorld,
  tokensOf,
  type TokenEndpoint,
  type TokenWorld,
} from '../support/token-instances.ts'

const LEASE_MS = 6000
/** Who waits looks at least once a second, and everything else takes its time on a busy machine. */
const LOOK_MS = 1500

let endpoint: TokenEndpoint & { stop(): Promise<void> }
let world: TokenWorld
let holder: Instance
let others: readonly Instance[]

for (const rotation of ['strict', 'lenient'] as const) {
  describe(`with ${rotation} rotation`, () => {
    beforeAll(async () => {
      endpoint = await startTokenEndpoint(rotation)
    })
    afterAll(() => endpoint.stop())
    // Anew for each test, since holders die.
    beforeEach(async () => {
      world = await startTokenWorld(endpoint)
      const [first, ...rest] = world.instances
      holder = first as Instance
      others = rest
      await endpoint.clear()
      return () => world.stop()
    })

    it('a holder that is killed while the provider thinks is replaced within its lease, with one more request', async () => {
      await expired('killed')
      await endpoint.close()
      holder.ask('killed').catch(() => undefined)
      await endpoint.arrival(1)
      const waiting = others.map((instance) => instance.ask('killed', {}, 5))
      const killedAtMs = performance.timeOrigin + performance.now()
      holder.signal('SIGKILL')
      // Not carried out for the dead: a strict provider that had rotated already would take the next request for theft.
      await expect.poll(async () => (await endpoint.requests())[0]?.isGone).toBe(true)
      await endpoint.open()
      const answers = (await Promise.all(waiting)).flat()
      expect(failuresOf(answers)).toEqual([])
      expect(tokensOf(answers)).toHaveLength(1)
      expect((await endpoint.requests()).length).toBeLessThanOrEqual(2)
      expect(Math.max(...answers.map(({ atMs }) => atMs)) - killedAtMs).toBeLessThan(LEASE_MS + LOOK_MS)
      expect(await endpoint.isAlive('killed')).toBe(true)
    })

    it('a holder whose event loop is blocked for 2 s keeps its lease', async () => {
      await expired('blocked')
      await endpoint.close()
      const own = holder.ask('blocked')
      await endpoint.arrival(1)
      const waiting = others.map((instance) => instance.ask('blocked', {}, 5))
      const blocked = holder.block(2000)
      await endpoint.open()
      await blocked
      const answers = (await Promise.all([own, ...waiting])).flat()
      expect(failuresOf(answers)).toEqual([])
      expect(tokensOf(answers)).toHaveLength(1)
      expect(await endpoint.requests()).toHaveLength(1)
    })
  })
}

describe('a provider that takes 12 s, twice the lease', () => {
  beforeAll(async () => {
    endpoint = await startTokenEndpoint('strict')
    world = await startTokenWorld(endpoint)
  })
  afterAll(async () => {
    await Promise.all([world.stop(), endpoint.stop()])
  })

  it('sees one request of 4 processes', async () => {
    await expired('slow')
    await endpoint.clear()
    await endpoint.fail({ delayMs: 12_000 })
    const answers = (await Promise.all(world.instances.map((instance) => instance.ask('slow', {}, 20)))).flat()
    expect(failuresOf(answers)).toEqual([])
    expect(tokensOf(answers)).toHaveLength(1)
    expect(await endpoint.requests()).toHaveLength(1)
    expect(await endpoint.isAlive('slow')).toBe(true)
  })
})

describe('a holder that is paused past its lease', () => {
  beforeAll(async () => {
    endpoint = await startTokenEndpoint('lenient')
    world = await startTokenWorld(endpoint)
    const [first, ...rest] = world.instances
    holder = first as Instance
    others = rest
  })
  afterAll(async () => {
    await Promise.all([world.stop(), endpoint.stop()])
  })

  it('is refused when it goes on, and nobody sees its token', async () => {
    await expired('paused')
    await endpoint.clear()
    await endpoint.close()
    const own = holder.ask('paused', {}, 5)
    await endpoint.arrival(1)
    holder.signal('SIGSTOP')
    // Its answer lies in its socket, and it has not read it.
    await endpoint.open()
    const answers: readonly Answer[] = (
      await Promise.all(others.map((instance) => instance.ask('paused', {}, 5)))
    ).flat()
    expect(failuresOf(answers)).toEqual([])
    const stored = await others[0]?.find('paused')
    holder.signal('SIGCONT')
    const late = await own
    expect(failuresOf(late)).toEqual([])
    expect(tokensOf([...answers, ...late])).toEqual([stored?.accessToken])
    expect(await others[0]?.find('paused')).toEqual(stored)
    expect(await endpoint.requests()).toHaveLength(2)
    expect(await holder.failures()).toContainEqual(expect.objectContaining({ outcome: 'refused' }))
  })
})

async function expired(userId: string): Promise<void> {
  const [refreshToken = ''] = await endpoint.issue([userId])
  await world.instances[1]?.store([{ userId, tokens: expiredTokens(refreshToken) }])
}
