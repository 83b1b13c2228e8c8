/**
 * Several processes of both modes on one session, their steps in random orders. Each write has to be there for every read that begins after
 * the write was answered; a session that was ended stays ended.
 */
import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { MigrationMode } from '../../src/migrate/migration-mode.ts'
import { memoryStore } from '../../src/stores/memory/memory-store.ts'
import {
  type Data,
  dataIn,
  type DualReadWorld,
  oldText,
  RandomOrder,
  startDualReadWorld,
  TTL_MS,
} from './dual-read-world.ts'

const ORDERS = 400

let world: DualReadWorld
beforeAll(async () => {
  world = await startDualReadWorld(memoryStore({ name: 'dual-read-orders' }))
})
afterAll(() => world.stop())

/** One session, and what has been answered about it. */
interface Round {
  readonly sid: string
  readonly key: string
  readonly order: RandomOrder
  readonly answered: Set<string>
  isEnded: boolean
}

type Actor = (round: Round) => Promise<void>

/** What a read must find: all that was answered before it began. */
function check(
  { answered, isEnded }: { answered: ReadonlySet<string>; isEnded: boolean },
  json: string | undefined,
): void {
  if (json === undefined) throw new Error('signed out')
  if (isEnded) throw new Error('revived')
  const data = dataIn(json)
  for (const field of answered)
    if (data[field] === undefined) throw new Error(`${field} is lost: ${JSON.stringify(data)}`)
}

function requests(mode: MigrationMode, fields: readonly string[], mayEnd: boolean): Actor {
  return async (round) => {
    const process = await world.start(mode)
    process.steps.order = round.order
    for (const field of [...fields, null]) {
      const before = { answered: new Set(round.answered), isEnded: round.isEnded }
      const known = await process.sessions.find(round.sid)
      if (!known && mayEnd) break
      check(before, known?.json)
      if (!known || field === null) continue
      const json = JSON.stringify({ ...(JSON.parse(known.json) as Data), [field]: 1 })
      const saved = await process.sessions.save(round.sid, json, { ttlMs: TTL_MS, known })
      if (saved) round.answered.add(field)
      else if (!mayEnd) throw new Error(`${field} was not stored`)
    }
    await process.close()
  }
}

const signOut =
  (mode: MigrationMode): Actor =>
  async (round) => {
    const process = await world.start(mode)
    process.steps.order = round.order
    await process.sessions.end(round.sid)
    round.isEnded = true
    await process.close()
  }

const oldSignOut: Actor = async ({ order, key }) => {
  await order.run(() => world.old.remove(key))
}

async function begin(seed: number): Promise<Round> {
  const sid = randomBytes(16).toString('hex')
  const round = { sid, key: `sess:${sid}`, order: new RandomOrder(seed), answered: new Set<string>(), isEnded: false }
  await world.set(round.key, oldText({ n: 0 }))
  if (seed % 3 === 0) return round
  const reader = await world.start('read')
  await reader.sessions.find(sid)
  await reader.close()
  // Every third copy is stale.
  if (seed % 3 === 1) await world.set(round.key, oldText({ n: 1 }))
  return round
}

async function play(actors: readonly Actor[], atTheEnd: (round: Round) => Promise<void>): Promise<void> {
  for (let seed = 1; seed <= ORDERS; seed++) {
    const round = await begin(seed)
    try {
      await round.order.drive(actors.map((actor) => actor(round)))
      await atTheEnd(round)
    } catch (error) {
      throw new Error(`seed ${seed}`, { cause: error })
    }
  }
}

async function now({ sid }: Round, mode: MigrationMode): Promise<Data | null> {
  const process = await world.start(mode)
  const found = await process.sessions.find(sid)
  await process.close()
  return found && dataIn(found.json)
}

describe('no order of steps', () => {
  it.each<[string, readonly MigrationMode[]]>([
    ['two in read', ['read', 'read']],
    ['three in read', ['read', 'read', 'read']],
    ['one of each', ['read', 'move']],
    ['two in read, one in move', ['read', 'read', 'move']],
    ['one in read, two in move', ['read', 'move', 'move']],
    ['two of each', ['read', 'read', 'move', 'move']],
    ['two in move', ['move', 'move']],
  ])('loses a write of %s', async (_name, modes) => {
    const actors = modes.map((mode, number) => requests(mode, [`${mode}-${number}-a`, `${mode}-${number}-b`], false))
    await play(actors, async (round) => {
      for (const mode of ['read', 'move', 'read'] as const) {
        expect(await now(round, mode)).toMatchObject(Object.fromEntries([...round.answered].map((field) => [field, 1])))
      }
      expect(await world.old.read(round.key)).toBeNull()
    })
  })

  it.each<[string, readonly MigrationMode[], Actor]>([
    ['in read', ['read', 'read'], signOut('read')],
    ['in read beside move', ['read', 'move', 'move'], signOut('read')],
    ['in move', ['read', 'move', 'move'], signOut('move')],
    ['of an old process', ['read', 'read'], oldSignOut],
  ])('revives a session behind a sign-out %s', async (_name, modes, end) => {
    const actors = modes.map((mode, number) => requests(mode, [`${mode}-${number}`], true))
    await play([...actors, end], async (round) => {
      for (const mode of ['read', 'move'] as const) expect(await now(round, mode)).toBeNull()
      expect(await world.old.read(round.key)).toBeNull()
    })
  })
})
