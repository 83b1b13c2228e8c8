/** Endings that race with requests in flight, and sign-ins with each other, over real connections to a real Redis. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { Coatcheck } from '../../src/app/coatcheck.ts'
import { isCoatcheckError } from '../../src/core/errors.ts'
import { type Data, type RaceWorld, startRaceWorld } from '../support/race-processes.ts'

const ROUNDS = 1000
/** A thousand of them are a hundred thousand requests: RACE_ROUNDS=1000 npx vitest run test/integration/races-endings.test.ts */
const HTTP_ROUNDS = Number(process.env['RACE_ROUNDS'] ?? 250)
const IN_FLIGHT = 100

let world: RaceWorld
let one: Coatcheck<Data>
let other: Coatcheck<Data>
beforeAll(async () => {
  world = await startRaceWorld(2)
  ;[one, other] = world.auths as [Coatcheck<Data>, Coatcheck<Data>]
})
afterEach(() => world.redis.cli('flushall'))
afterAll(() => world.close())

const sessionKeys = async (): Promise<string[]> =>
  (await world.redis.cli('keys', 'user:session:*')).split('\n').filter(Boolean)
const signIn = async (userId: string, auth = one): Promise<{ ticket: string; id: string }> => {
  const { ticket, session } = await auth.sessions.create({ userId })
  return { ticket, id: session.id ?? '' }
}
const isAlive = async (ticket: string): Promise<boolean> => (await other.sessions.find(ticket)).session !== null
/** Ended sessions refuse writes with this code; anything else that fails is a failure of the test. */
const endedOrDone = async (work: Promise<unknown>): Promise<void> => {
  try {
    await work
  } catch (error) {
    expect(isCoatcheckError(error) && error.code).toBe('COATCHECK_SESSION_ENDED')
  }
}

describe('sign-out while a hundred requests of the session are in flight', () => {
  it(`revives none, ${ROUNDS} times`, { timeout: 240_000 }, async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const { ticket, id } = await signIn('ada')
      const busy = Array.from({ length: IN_FLIGHT }, (_, i) => {
        const { sessions } = i % 2 === 0 ? one : other
        if (i % 4 < 2) return sessions.find(ticket)
        return endedOrDone(sessions.update(ticket, (draft) => (draft[`k${i}`] = i)))
      })
      const ended = (round % 2 === 0 ? one : other).sessions.revoke(id)
      await Promise.all([...busy, ended])
      expect((await ended).count).toBe(1)
      expect(await isAlive(ticket)).toBe(false)
      if (round % 100 === 99) expect(await sessionKeys()).toEqual([])
    }
  })

  it(`through Express on two processes: none, ${HTTP_ROUNDS} times`, { timeout: 400_000 }, async () => {
    for (let round = 0; round < HTTP_ROUNDS; round++) {
      const { ticket } = await signIn('ada')
      const requests = Array.from({ length: IN_FLIGHT }, (_, i) => {
        const instance = world.instances[i % 2]
        if (i === IN_FLIGHT / 2) return instance?.send('POST', '/auth/logout', ticket)
        return i % 4 < 2 ? instance?.send('GET', '/data', ticket) : instance?.send('POST', `/set/k${i}`, ticket)
      })
      const answers = await Promise.all(requests)
      expect(answers[IN_FLIGHT / 2]?.status).toBe(200)
      expect(await isAlive(ticket)).toBe(false)
    }
    expect((await sessionKeys()).filter((key) => !key.includes('anonymous'))).toEqual(await anonymousKeys())
  })
})

/** A write without a live session starts an anonymous one: those have no generation beside them. */
async function anonymousKeys(): Promise<string[]> {
  const generations = new Set((await world.redis.cli('keys', 'user:{*}:gen')).split('\n').map((key) => tagOf(key)))
  return (await sessionKeys()).filter((key) => !generations.has(tagOf(key)))
}

function tagOf(key: string): string {
  return /\{(.*)\}/.exec(key)?.[1] ?? ''
}

describe('parallel sign-ins of one user', () => {
  it('twenty are listed; all but one are ended, exactly, 100 times', { timeout: 120_000 }, async () => {
    for (let round = 0; round < 100; round++) {
      const all = await Promise.all(Array.from({ length: 20 }, (_, i) => signIn('ada', i % 2 ? one : other)))
      expect(await one.sessions.listByUser('ada')).toHaveLength(20)
      const kept = all[round % 20]
      const ended = await other.sessions.revokeByUser('ada', { except: kept?.id ?? '' })
      expect(ended.count).toBe(19)
      const alive = await Promise.all(all.map(({ ticket }) => isAlive(ticket)))
      expect(alive).toEqual(all.map((session) => session === kept))
      expect((await one.sessions.listByUser('ada')).map(({ id }) => id)).toEqual([kept?.id])
      await one.sessions.revokeByUser('ada')
    }
  })
})

describe.each(['end-oldest', 'refuse'] as const)('a limit of five, action %s', (action) => {
  it('leaves exactly five of a hundred parallel sign-ins', async () => {
    const limited = await startRaceWorld(0, { maxPerUser: { max: 5, action } })
    const tickets: string[] = []
    await Promise.all(
      Array.from({ length: 100 }, async (_, i) => {
        const auth = limited.auths[i % 2]
        try {
          tickets.push((await auth?.sessions.create({ userId: 'ada' }))?.ticket ?? '')
        } catch (error) {
          expect(isCoatcheckError(error) && error.code).toBe('COATCHECK_SESSION_LIMIT')
        }
      }),
    )
    expect(tickets).toHaveLength(action === 'refuse' ? 5 : 100)
    const found = await Promise.all(tickets.map(async (ticket) => limited.auths[0]?.sessions.find(ticket)))
    expect(found.filter((result) => result?.session)).toHaveLength(5)
    expect(await limited.auths[1]?.sessions.listByUser('ada')).toHaveLength(5)
    await limited.close()
  })
})

describe('a new ticket without grace', () => {
  it('ends the old one at once, also for writes that are in flight, 200 times', { timeout: 120_000 }, async () => {
    for (let round = 0; round < 200; round++) {
      const { ticket } = await signIn('ada')
      let rotated = false
      const late: Promise<void>[] = []
      const writes = Array.from({ length: 20 }, (_, i) =>
        endedOrDone(other.sessions.update(ticket, (draft) => (draft[`early${i}`] = true))),
      )
      const next = await one.sessions.rotate(ticket, { immediate: true })
      rotated = true
      for (let i = 0; i < 5; i++)
        late.push(endedOrDone(other.sessions.update(ticket, (draft) => (draft.late = rotated))))
      await Promise.all([...writes, ...late])
      expect(await isAlive(ticket)).toBe(false)
      const { session } = await one.sessions.find(next.ticket)
      expect(session?.data).not.toHaveProperty('late')
    }
  })
})

describe('what Redis is asked', () => {
  const commands = async (): Promise<Map<string, number>> => {
    const stats = await world.redis.cli('info', 'commandstats')
    return new Map([...stats.matchAll(/^cmdstat_([^:]+):calls=(\d+)/gm)].map(([, name, n]) => [name ?? '', Number(n)]))
  }
  const KEEPING = new Set(['info', 'ping', 'time', 'config|resetstat', 'hello', 'client|setinfo'])
  const asked = async (): Promise<[string, number][]> => [...(await commands())].filter(([name]) => !KEEPING.has(name))

  it('nothing for 10,000 forged tickets or without a cookie, and no key is made', { timeout: 120_000 }, async () => {
    const { ticket } = await signIn('ada')
    const keysBefore = await world.redis.cli('dbsize')
    await world.redis.cli('config', 'resetstat')
    for (let i = 0; i < 10_000; i++) {
      const at = i % ticket.length
      const changed = ticket[at] === 'A' ? 'B' : 'A'
      // The last character of the text carries bits that decode to nothing.
      const forged = `${ticket.slice(0, at)}${changed}${ticket.slice(at + 1, -1)}${i % 2 ? 'A' : 'Q'}`
      if (forged === ticket) continue
      const { session } = await one.sessions.find(forged)
      expect(session).toBeNull()
    }
    for (const cookie of [null, 'x', `${ticket}x`]) await world.instances[0]?.send('GET', '/data', cookie)
    expect(await asked()).toEqual([])
    expect(await world.redis.cli('dbsize')).toBe(keysBefore)
  })

  it('one command a read, and never KEYS, SCAN or a flush', async () => {
    const { ticket } = await signIn('ada')
    await world.redis.cli('config', 'resetstat')
    for (let i = 0; i < 50; i++) expect(await isAlive(ticket)).toBe(true)
    expect(await asked()).toEqual([['mget', 50]])
    await one.sessions.listByUser('ada')
    await one.sessions.revokeByUser('ada')
    const names = (await asked()).map(([name]) => name)
    expect(names.filter((name) => /^(keys|scan|flush)/.test(name))).toEqual([])
  })
})
