/**
 * Two requests of one session meet in the middle of a migration. Each request is held before each of its steps in turn, while the other one
 * runs from its start to its end. Old processes do what connect-redis does: GET, SET, EXPIRE, DEL.
 */
import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { HandedOut } from '../../src/documents/library-sessions.ts'
import {
  type DualReadWorld,
  type Data,
  dataIn,
  type NewProcess,
  oldText,
  startDualReadWorld,
  TTL_MS,
} from './dual-read-world.ts'

/** More than any request has. */
const MOST_STEPS = 24

let world: DualReadWorld
let sid: string
let key: string
beforeAll(async () => {
  world = await startDualReadWorld()
})
afterAll(() => world.stop())
beforeEach(newSession)

function newSession(): void {
  sid = randomBytes(16).toString('hex')
  key = `sess:${sid}`
}

type Start = 'old' | 'copied' | 'stale copy'

/** A session that an old process has created; ours may have read it. */
async function begin(start: Start): Promise<void> {
  newSession()
  await world.old.create(key, oldText({ n: 0 }), TTL_MS)
  if (start === 'old') return
  const reader = await world.start('read')
  await reader.sessions.find(sid)
  await reader.close()
  if (start === 'copied') return
  const { text } = (await world.old.read(key))!
  await world.old.replace(key, text, oldText({ n: 1 }), TTL_MS)
}

/** A request of a new process: reads, then does something. */
interface Request {
  readonly name: string
  readonly isEnd?: boolean
  /** The field that it writes. */
  readonly field?: string
  run(process: NewProcess): Promise<unknown>
}

const read: Request = { name: 'a read', run: ({ sessions }) => sessions.find(sid) }
const touch: Request = {
  name: 'a touch',
  async run({ sessions }) {
    const known = await sessions.find(sid)
    if (known) await sessions.touch(sid, TTL_MS, known)
  },
}
const signOut: Request = { name: 'a sign-out', isEnd: true, run: ({ sessions }) => sessions.end(sid) }
const writeOf = (field: string): Request => ({
  name: `a write of ${field}`,
  field,
  run: async ({ sessions }) => save(sessions, await sessions.find(sid), field),
})

async function save(
  sessions: NewProcess['sessions'],
  known: HandedOut | null,
  field: string,
): Promise<HandedOut | null> {
  if (!known) return null
  return sessions.save(sid, JSON.stringify({ ...(JSON.parse(known.json) as Data), [field]: 1 }), {
    ttlMs: TTL_MS,
    known,
  })
}

/** What the session is now, as a new process and as an old process see it. */
async function now(mode: 'read' | 'move'): Promise<{ ours: Data | null; old: Data | null }> {
  const reader = await world.start(mode)
  const found = await reader.sessions.find(sid)
  await reader.close()
  const record = await world.old.read(key)
  return { ours: found && dataIn(found.json), old: record && dataIn(record.text) }
}

/** Runs `first`, held before each of its steps in turn while `second` runs. */
async function meet(
  first: { readonly mode: 'read' | 'move'; readonly request: Request },
  start: Start,
  second: () => Promise<unknown>,
  check: () => Promise<void>,
): Promise<number> {
  let step = 1
  for (; step <= MOST_STEPS; step++) {
    await begin(start)
    const process = await world.start(first.mode)
    const { arrived, go } = process.steps.hold(step)
    const running = first.request.run(process)
    const isHeld = await Promise.race([arrived.then(() => true), running.then(() => false)])
    await second()
    go()
    await running
    await check()
    await process.close()
    if (!isHeld) break
  }
  return step
}

const starts: readonly Start[] = ['old', 'copied', 'stale copy']
const modes = ['read', 'move'] as const
const requests = [read, touch, writeOf('a'), signOut]
const pairs = modes.flatMap((mode) =>
  modes.flatMap((other) =>
    starts.flatMap((start) =>
      requests.flatMap((request) =>
        [read, touch, writeOf('b'), signOut].map((second) => ({ mode, other, start, request, second })),
      ),
    ),
  ),
)

describe('two new processes', () => {
  it.each(pairs)(
    '$request.name in $mode and $second.name in $other, of a session that is $start',
    async ({ mode, other, start, request, second }) => {
      const steps = await meet(
        { mode, request },
        start,
        async () => {
          const process = await world.start(other)
          await second.run(process)
          await process.close()
        },
        async () => {
          for (const view of modes) {
            const { ours, old } = await now(view)
            if (request.isEnd || second.isEnd) {
              expect(ours).toBeNull()
              expect(old).toBeNull()
              continue
            }
            const fields = [request.field, second.field].flatMap((field) => (field === undefined ? [] : [[field, 1]]))
            const written = { n: start === 'stale copy' ? 1 : 0, ...(Object.fromEntries(fields) as Data) }
            expect(ours).toEqual(written)
            if (old && view === 'read' && mode === 'read' && other === 'read') expect(old).toEqual(written)
          }
          // Behind the reads in `move`.
          expect(await world.old.read(key)).toBeNull()
        },
      )
      expect(steps).toBeGreaterThan(1)
    },
  )
})

describe('an old process beside a new one', () => {
  const cases = starts.flatMap((start) => requests.map((request) => ({ start, request })))

  it.each(cases)('signs out during $request.name, of a session that is $start', async ({ start, request }) => {
    await meet(
      { mode: 'read', request },
      start,
      () => world.old.remove(key),
      async () => {
        expect(await now('read')).toEqual({ ours: null, old: null })
      },
    )
  })

  it.each(cases)('writes during $request.name, of a session that is $start', async ({ start, request }) => {
    const written = { n: 7, old: 'yes' }
    await meet(
      { mode: 'read', request },
      start,
      // A request that has read the session before writes it whole, as connect-redis does.
      () => world.set(key, oldText(written)),
      async () => {
        const { ours, old } = await now('read')
        expect(ours).toEqual(old)
        // A late write of an old process brings nothing back.
        if (request.isEnd) expect(ours).toBeNull()
        else
          expect(ours).toEqual(
            request.field === undefined ? written : expect.objectContaining({ n: expect.anything() as unknown }),
          )
        if (!request.isEnd && request.field !== undefined && ours?.['old'] === undefined)
          expect(ours?.[request.field]).toBe(1)
      },
    )
  })
})

describe('a session that a new process creates', () => {
  const create = async (): Promise<void> => {
    const process = await world.start('read')
    expect(await process.sessions.save(sid, oldText({ n: 0 }), { ttlMs: TTL_MS, isNew: true })).not.toBeNull()
    await process.close()
  }

  it.each(modes)('is there whatever step a read in %s has reached', async (mode) => {
    for (let step = 1; step <= MOST_STEPS; step++) {
      newSession()
      const reader = await world.start(mode)
      const { arrived, go } = reader.steps.hold(step)
      const reading = reader.sessions.find(sid)
      const isHeld = await Promise.race([arrived.then(() => true), reading.then(() => false)])
      await create()
      go()
      await reading
      await reader.close()
      expect((await now('read')).ours).toEqual({ n: 0 })
      if (!isHeld) return
    }
    throw new Error('more steps than expected')
  })

  it('is there for old processes and for parallel reads, whatever step it has reached', async () => {
    for (let step = 1; step <= MOST_STEPS; step++) {
      newSession()
      const process = await world.start('read')
      const { arrived, go } = process.steps.hold(step)
      const creating = process.sessions.save(sid, oldText({ n: 0 }), { ttlMs: TTL_MS, isNew: true })
      const isHeld = await Promise.race([arrived.then(() => true), creating.then(() => false)])
      await now('read')
      go()
      expect(await creating).not.toBeNull()
      await process.close()
      expect(await now('read')).toEqual({ ours: { n: 0 }, old: { n: 0 } })
      if (!isHeld) return
    }
    throw new Error('more steps than expected')
  })
})
