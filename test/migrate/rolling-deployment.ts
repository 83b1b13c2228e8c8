/**
 * The deployment that every origin goes through: 200 users who are signed in at the old application, old and new processes side by side,
 * a rollback in the middle, a second rollout, then mode `move`. Each process is one of the operating system. No user is signed
 * out, no session comes back after a sign-out on either side, and no write that a process has answered is lost.
 */
import { randomBytes } from 'node:crypto'
import { setTimeout } from 'node:timers/promises'
import { createClient } from 'redis'
import { expect } from 'vitest'
import { createKeyring, type Keyring } from '../../src/keyring/keyring.ts'
import { isLab } from '../lab/report.ts'
import type { RedisServer } from '../support/redis-server.ts'
import { type Build, createFleet, type Fleet } from './migration-fleet.ts'
import type { OldLibrary } from './old-library.ts'
import { assertLives, MAX_AGE_MS } from './rolling-lives.ts'
import { createTraffic, createVisitors, inParallel, isNew, isOld, type Visitor } from './rolling-traffic.ts'

type Client = ReturnType<typeof createClient>

const VISITORS = 200
/** With a bridge, where each process costs more, so many outside of the lab. */
const VISITORS_OF_BRIDGE = isLab ? VISITORS : 60
/** So many visitors at once go on while processes come or go. */
const GOING_ON = 4
/** Between two of their requests, so that processes that start get the processor. */
const PAUSE_MS = 100
/** Of the last sessions that were signed out, so many are tried at the end of each phase; all of them at the end. */
const REPLAYED = 40
/** Users of a bridge who meet no new process before `move`. */
const LATECOMERS = VISITORS_OF_BRIDGE / 10

/** Runs the whole deployment on a server of its own. */
export async function rollingDeployment(redis: RedisServer, library: OldLibrary): Promise<void> {
  await redis.cli('flushall')
  const keys = randomBytes(32).toString('base64')
  const client: Client = createClient({ url: redis.url })
  await client.connect()
  const program = library.program({ REDIS_URL: redis.url, COATCHECK_KEYS: keys, MAX_AGE_MS: String(MAX_AGE_MS) })
  const fleet = createFleet(program)
  try {
    await deploy(library, fleet, client, createKeyring(keys))
  } finally {
    for (const build of ['old', 'read', 'move'] as const) await fleet.stop(build)
    client.destroy()
  }
}

async function deploy(library: OldLibrary, fleet: Fleet, client: Client, keyring: Keyring): Promise<void> {
  const { bridge } = library
  const visitorCount = bridge ? VISITORS_OF_BRIDGE : VISITORS
  const visitors = createVisitors(visitorCount)
  const { failures, stolen, look, signIn, signOut, write, act, writeTogether, replay, endsInTime } = createTraffic(
    library,
    fleet,
    visitorCount,
  )
  /** Those who act now. */
  let active: readonly Visitor[] = visitors

  const traffic = (run: (visitor: Visitor) => Promise<void>, rounds: number): Promise<void> =>
    inParallel(half(active), async (visitor) => {
      for (let round = 0; round < rounds; round++) await run(visitor)
    })

  /** The processes of a build come or go while a few visitors go on. */
  const during = async (change: () => Promise<void>): Promise<void> => {
    let isOver = false
    const changing = change().finally(() => (isOver = true))
    const going = async (first: number): Promise<void> => {
      for (let at = first; !isOver; at = at + GOING_ON < active.length ? at + GOING_ON : first) {
        await act(active[at] as Visitor)
        await setTimeout(PAUSE_MS)
      }
    }
    await Promise.all(Array.from({ length: GOING_ON }, (_, first) => going(first)))
    await changing
  }

  const oldKeys = async (): Promise<string[]> => {
    const users = new Set(visitors.flatMap(({ data }) => data['user'] ?? []))
    const found: string[] = []
    for await (const batch of client.scanIterator({ COUNT: 1000 })) found.push(...batch)
    return found.filter((key) => library.isOldKey(key, (user) => users.has(user)))
  }
  const lives = { client, keyring, library, oldKeys }

  /** Behind a phase: who is signed in still is, and who signed out is not back. */
  const settle = async (builds: readonly Build[]): Promise<void> => {
    expect([...new Set(fleet.instances.map(({ build }) => build))].sort()).toEqual([...builds].sort())
    await inParallel(active, (visitor) => look(visitor, 'at the end of a phase'))
    await replay(stolen.slice(-REPLAYED))
    expect(failures).toEqual([])
    await assertLives.ofCopies(lives)
  }

  await fleet.start('old', 2)
  await inParallel(visitors, async (visitor) => {
    await signIn(visitor)
    if (!bridge) await write(visitor)
  })
  expect(failures).toEqual([])

  await during(() => fleet.start('read', 2))
  await traffic(act, 2)
  await settle(['old', 'read'])

  // The rollback.
  await during(() => fleet.stop('read'))
  await traffic(act, 1)
  await settle(['old'])

  await during(() => fleet.start('read', 2))
  await traffic(act, 1)
  await settle(['old', 'read'])
  if (bridge) {
    active = visitors.slice(LATECOMERS)
    // The others come in before the old processes go.
    await inParallel(active, (visitor) => look(visitor, 'before the old processes go', isNew))
    await inParallel(visitors.slice(0, LATECOMERS), async (visitor) => {
      if (visitor.data['user'] !== undefined) await signOut(visitor)
      await signIn(visitor, isOld)
    })
  }
  await during(() => fleet.stop('old'))
  await traffic(writeTogether, 1)
  await traffic(act, 1)
  await settle(['read'])

  await during(() => fleet.start('move', 2))
  await traffic(writeTogether, 1)
  await traffic(act, 1)
  await during(() => fleet.stop('read'))
  const left = await assertLives.before(lives)
  const keysBefore = await oldKeys()
  active = visitors
  await inParallel(visitors, (visitor) => look(visitor, 'at the first request in move'))
  await assertLives.after(lives, left)
  // A bridge ends the old session when it adopts it. Of those that were adopted before, `read` has left the old keys.
  const moved = bridge ? (bridge.isStored ? LATECOMERS : 0) : keysBefore.length
  const isLeft = new Set(await oldKeys())
  expect(keysBefore.filter((key) => !isLeft.has(key)).length).toBeGreaterThanOrEqual(moved)
  await traffic(writeTogether, 1)
  await traffic(act, 1)
  await settle(['move'])
  await replay(stolen)
  expect(failures).toEqual([])
  if (!bridge) expect(await oldKeys()).toEqual([])
  else await inParallel(visitors, endsInTime)
  expect(stolen.length).toBeGreaterThan(visitorCount / 20)
  expect(visitors.filter(({ data }) => data['user'] !== undefined).length).toBeGreaterThan(visitorCount / 4)
}

/** Others in each phase. */
function half<T>(items: readonly T[]): T[] {
  return items.filter(() => Math.random() < 0.5)
}
