/** Replies that a broken pool or proxy gives to the wrong caller: F8 of docs/faults.md. */
import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, expect, test } from 'vitest'
import type { Coatcheck } from '../../src/app/coatcheck.ts'
import { coatcheck, isCoatcheckError, oidc } from '../../src/entries/coatcheck.ts'
import { redisStore } from '../../src/stores/redis/redis-store.ts'
import { type FaultProxy, startFaultProxy } from '../../src/testing/fault-proxy.ts'
import { startRedisServer } from '../support/redis-server.ts'
import { isLab, observed } from './report.ts'

const READS = isLab ? 100_000 : 5000
const READERS = 16
const PEOPLE = 200
/** So that connections begin anew also while nothing is noticed. */
const READS_PER_CONNECTION = 500
/** Two answers in a row that were exchanged with others of their kind cannot be told from nothing. */
const MOST_MISSED = 1 / 200
const CONFUSED = { kind: 'confuse', chance: 0.02 } as const
/** While there is no connection, reads are refused at once: they prove nothing. */
const PAUSE_MS = 20

interface Person {
  readonly userId: string
  readonly ticket: string
}

interface Tally {
  reads: number
  right: number
  wrong: number
  /** Told that there is nothing. */
  missed: number
  refused: number
}

const closing: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

async function start(): Promise<{
  proxy: FaultProxy
  direct: Coatcheck<{ owner: string }>
  through: Coatcheck<{ owner: string }>
  people: Person[]
}> {
  const server = await startRedisServer()
  closing.push(() => server.stop())
  const proxy = await startFaultProxy({ target: { port: server.port } })
  closing.push(() => proxy.close())
  const keys = randomBytes(32).toString('base64')
  const make = (url: string): Coatcheck<{ owner: string }> => {
    const auth = coatcheck<{ owner: string }>({
      store: redisStore({ url }),
      keys,
      baseUrl: 'http://localhost:3000',
      // Never asked: all tokens are valid.
      providers: [oidc({ name: 'idp', issuer: 'http://127.0.0.1:9', clientId: 'app', clientSecret: 'secret' })],
    })
    closing.push(() => auth.close())
    return auth
  }
  const [direct, through] = [make(server.url), make(proxy.url)]
  await Promise.all([direct.ready(), through.ready()])
  const issue = async (i: number): Promise<Person> => {
    const userId = `user-${i}`
    const expiresAt = Date.now() + 3_600_000
    await direct.tokens.setUserTokens(userId, {
      accessToken: `token of ${userId}`,
      refreshToken: `grant of ${userId}`,
      expiresAt,
    })
    return { userId, ticket: (await direct.sessions.create({ userId, data: { owner: userId } })).ticket }
  }
  return { proxy, direct, through, people: await Promise.all(Array.from({ length: PEOPLE }, (_, i) => issue(i))) }
}

/** Reads until enough have been read. @param read whether it was the person's own; `null`: there was none */
async function readConfused(
  proxy: FaultProxy,
  people: readonly Person[],
  read: (person: Person) => Promise<boolean | null>,
): Promise<Tally> {
  const tally = { reads: 0, right: 0, wrong: 0, missed: 0, refused: 0 }
  const renew = async (): Promise<void> => {
    proxy.set({ kind: 'cut' })
    proxy.set(CONFUSED)
    await sleep(5)
  }
  proxy.set(CONFUSED)
  const reader = async (offset: number): Promise<void> => {
    for (let i = offset; tally.reads < READS; i++) {
      const person = people[i % people.length] as Person
      tally.reads++
      if (tally.reads % READS_PER_CONNECTION === 0) await renew()
      try {
        const isOwn = await read(person)
        if (isOwn === null) tally.missed++
        else if (isOwn) tally.right++
        else tally.wrong++
      } catch (error) {
        expect(isCoatcheckError(error), String(error)).toBe(true)
        tally.refused++
        await sleep(PAUSE_MS)
      }
    }
  }
  await Promise.all(Array.from({ length: READERS }, (_, i) => reader(i * 13)))
  return tally
}

const told = ({ reads, right, wrong, missed, refused }: Tally, confused: number): string =>
  `${reads.toLocaleString('en')} reads, ${confused.toLocaleString('en')} replies confused: ${right.toLocaleString('en')} right, ${missed} told that there is nothing, ${refused.toLocaleString('en')} refused with an error, ${wrong} of somebody else`

test('nobody gets the session or the tokens of somebody else', { timeout: 600_000 }, async () => {
  const { proxy, through, people } = await start()
  // At the same time on the same connection, so that each also gets replies that are none of its kind.
  const [sessions, tokens] = await Promise.all([
    readConfused(proxy, people, async ({ userId, ticket }) => {
      const { session } = await through.sessions.find(ticket)
      return session && session.user?.id === userId && session.data.owner === userId
    }),
    readConfused(proxy, people, async ({ userId }) => {
      const found = await through.tokens.getUserTokens(userId)
      const hit = await through.tokens.getAccessToken(userId)
      if (found === null) return null
      return [found.accessToken, hit.accessToken].every((token) => token === `token of ${userId}`)
    }),
  ])
  for (const [id, tally] of [
    ['F8.sessions', sessions],
    ['F8.tokens', tokens],
  ] as const) {
    expect(tally.wrong).toBe(0)
    expect(tally.right).toBeGreaterThan(0)
    expect(tally.refused).toBeGreaterThan(0)
    expect(tally.missed).toBeLessThan(READS * MOST_MISSED)
    observed(id, told(tally, proxy.confused))
  }
  expect(proxy.confused).toBeGreaterThan(READS / 500)
})
