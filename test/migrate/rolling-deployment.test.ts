/**
 * Applications on the real old stores move to ours under traffic: a rollout in `read`, a rollback, a second rollout, then `move`. No user is
 * signed out, no session comes back after a sign-out on either side, and no write that a process has answered is lost.
 */
import { randomBytes } from 'node:crypto'
import { createClient } from 'redis'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createKeyring } from '../../src/keyring/keyring.ts'
import { redisKeys } from '../../src/redis/keys.ts'
import { type RedisServer, startRedisServer } from '../support/redis-server.ts'
import { Browser, type Build, createFleet, type Data, type Fleet, type Host, type Instance } from './migration-fleet.ts'

const VISITORS = 200
const AT_ONCE = 12
/** Of the last sessions that were signed out, so many are tried at the end of each phase; all of them at the end. */
const REPLAYED = 40
const MAX_AGE_MS = 3_600_000
/** connect-redis rounds a life up to whole seconds; koa-session adds ten seconds. */
const ROUNDED_MS = 11_000

/** One user with a browser, and what the session must hold. */
interface Visitor {
  readonly name: string
  readonly browser: Browser
  data: Record<string, string>
  writes: number
}

let redis: RedisServer
beforeAll(async () => {
  redis = await startRedisServer()
})
afterAll(() => redis.stop())

describe.each<[Host, string]>([
  ['express', 'express-session'],
  ['fastify', 'fastify-session'],
  ['koa', 'koa-session'],
])('%s', (host, kind) => {
  const keys = randomBytes(32).toString('base64')
  const failures: string[] = []
  /** Cookies of sessions that were signed out. */
  const stolen: Browser[] = []
  const visitors: Visitor[] = Array.from({ length: VISITORS }, (_, number) => ({
    ...{ name: `user-${number}`, browser: new Browser(), data: {}, writes: 0 },
  }))
  let fleet: Fleet
  let client: Awaited<ReturnType<typeof connect>>

  beforeAll(async () => {
    await redis.cli('flushall')
    client = await connect()
    fleet = createFleet(host, { REDIS_URL: redis.url, COATCHECK_KEYS: keys, MAX_AGE_MS: String(MAX_AGE_MS) })
  })
  afterAll(async () => {
    for (const build of ['old', 'read', 'move'] as const) await fleet.stop(build)
    client.destroy()
  })

  const compare = (visitor: Visitor, instance: Instance, seen: Data, after: string): void => {
    if (JSON.stringify(sorted(seen)) === JSON.stringify(sorted(visitor.data))) return
    const wanted = JSON.stringify(sorted(visitor.data))
    failures.push(`${visitor.name} at ${instance.build} ${after}: ${JSON.stringify(sorted(seen))}, not ${wanted}`)
  }

  const look = async (visitor: Visitor, after: string): Promise<void> => {
    const instance = fleet.any()
    compare(visitor, instance, await visitor.browser.send(instance, 'GET', '/me'), after)
  }

  const signIn = async ({ browser, name }: Visitor): Promise<Data> => {
    await browser.send(fleet.any(), 'POST', `/sign-in?user=${name}`)
    return { user: name }
  }

  /** One request after another; each may meet another process. */
  const act = async (visitor: Visitor): Promise<void> => {
    const { browser, name } = visitor
    const chance = Math.random()
    const instance = fleet.any()
    if (visitor.data['user'] === undefined || chance < 0.1) {
      const before = browser.copy()
      if (visitor.data['user'] !== undefined) stolen.push(before)
      const data = await signIn(visitor)
      visitor.data = host === 'koa' ? { ...visitor.data, ...data } : { ...data }
      return look(visitor, 'behind a sign-in')
    }
    if (chance < 0.18) {
      stolen.push(browser.copy())
      await browser.send(instance, 'POST', '/sign-out')
      visitor.data = {}
      return look(visitor, `behind a sign-out at ${instance.build}`)
    }
    if (chance < 0.65) {
      const value = `${name}-${++visitor.writes}`
      const field = `field-${visitor.writes % 4}`
      await browser.send(instance, 'POST', `/set?${field}=${value}`)
      visitor.data[field] = value
      return look(visitor, `behind a write at ${instance.build}`)
    }
    return look(visitor, 'later')
  }

  /** Several requests of one session at once, each with a field of its own. Only our store keeps all of them. */
  const writeTogether = async (visitor: Visitor): Promise<void> => {
    if (visitor.data['user'] === undefined) return
    const value = String(++visitor.writes)
    const fields = ['together-0', 'together-1', 'together-2', 'together-3']
    await Promise.all(fields.map((field) => visitor.browser.send(fleet.any(), 'POST', `/set?${field}=${value}`)))
    for (const field of fields) visitor.data[field] = value
    await look(visitor, 'behind parallel writes')
  }

  const traffic = (act: (visitor: Visitor) => Promise<void>, rounds: number): Promise<void> =>
    inParallel(half(visitors), async (visitor) => {
      for (let round = 0; round < rounds; round++) await act(visitor)
    })

  /** The processes of a build come or go while the visitors go on. */
  const during = async (change: () => Promise<void>): Promise<void> => {
    let isOver = false
    const changing = change().finally(() => (isOver = true))
    await inParallel(visitors.slice(0, VISITORS / 8), async (visitor) => {
      while (!isOver) await act(visitor)
    })
    await changing
  }

  const replay = (thieves: readonly Browser[]): Promise<void> =>
    inParallel(thieves, async (thief) => {
      const instance = fleet.any()
      const seen = await thief.copy().send(instance, 'GET', '/me')
      if (Object.keys(seen).length > 0) failures.push(`revived at ${instance.build}: ${JSON.stringify(seen)}`)
    })

  /** Behind a phase: who is signed in still is, and who signed out is not back. */
  const settle = async (builds: readonly Build[]): Promise<void> => {
    expect([...new Set(fleet.instances.map(({ build }) => build))].sort()).toEqual([...builds].sort())
    await inParallel(visitors, (visitor) => look(visitor, 'at the end of a phase'))
    await replay(stolen.slice(-REPLAYED))
    expect(failures).toEqual([])
  }

  const oldKeys = async (): Promise<string[]> => {
    const found: string[] = []
    for await (const batch of client.scanIterator()) found.push(...batch)
    return found.filter((key) => !/^(?:host(?:-set)?|migration):/.test(key))
  }

  /** Our mirrors must not outlive the old records. */
  const longestLead = async (): Promise<number> => {
    const keyring = createKeyring(keys)
    const leads = await Promise.all(
      (await oldKeys()).map(async (key) => {
        const name = keyring.nameOf(kind, key.replace('sess:', ''))
        const [ours, old] = await Promise.all([client.pTTL(redisKeys('').document(kind, name)), client.pTTL(key)])
        return ours - old
      }),
    )
    return Math.max(...leads)
  }

  it('moves under traffic', async () => {
    await fleet.start('old', 2)
    await inParallel(visitors, async (visitor) => {
      visitor.data = { ...(await signIn(visitor)) }
      await visitor.browser.send(fleet.any(), 'POST', `/set?first=${visitor.name}`)
      visitor.data['first'] = visitor.name
    })
    expect(await oldKeys()).toHaveLength(VISITORS)

    await during(() => fleet.start('read', 2))
    await traffic(act, 2)
    await settle(['old', 'read'])
    expect(await longestLead()).toBeLessThan(ROUNDED_MS)

    // The rollback.
    await during(() => fleet.stop('read'))
    await traffic(act, 1)
    await settle(['old'])

    await during(() => fleet.start('read', 2))
    await traffic(act, 1)
    await settle(['old', 'read'])
    await during(() => fleet.stop('old'))
    await traffic(writeTogether, 1)
    await traffic(act, 1)
    await settle(['read'])
    expect(await longestLead()).toBeLessThan(ROUNDED_MS)

    await during(() => fleet.start('move', 2))
    await traffic(writeTogether, 1)
    await traffic(act, 1)
    await settle(['move', 'read'])
    await during(() => fleet.stop('read'))
    await traffic(writeTogether, 1)
    await settle(['move'])
    await replay(stolen)
    expect(failures).toEqual([])
    expect(await oldKeys()).toEqual([])
    expect(stolen.length).toBeGreaterThan(VISITORS / 8)
  })
})

/** Others in each phase. */
function half<T>(items: readonly T[]): T[] {
  return items.filter(() => Math.random() < 0.5)
}

const connect = () => createClient({ url: redis.url }).connect()

async function inParallel<T>(items: readonly T[], run: (item: T) => Promise<void>): Promise<void> {
  const left = [...items]
  const work = async (): Promise<void> => {
    for (let item = left.shift(); item !== undefined; item = left.shift()) await run(item)
  }
  await Promise.all(Array.from({ length: AT_ONCE }, work))
}

function sorted(data: Data): Data {
  return Object.fromEntries(Object.entries(data).sort(([one], [other]) => (one < other ? -1 : 1)))
}
