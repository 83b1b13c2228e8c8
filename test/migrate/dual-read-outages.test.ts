/**
 * The store does not answer one step of a request, whether or not it has carried the step out; the process may as well have crashed
 * there. The request fails, and a later request finds everything in order: no sign-out, no session that has ended.
 */
import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, expect, it } from 'vitest'
import {
  type Data,
  dataIn,
  type DualReadWorld,
  type NewProcess,
  oldText,
  startDualReadWorld,
  TTL_MS,
} from './dual-read-world.ts'

const MOST_STEPS = 24

let world: DualReadWorld
let sid: string
let key: string
beforeAll(async () => {
  world = await startDualReadWorld()
})
afterAll(() => world.stop())

type Request = (process: NewProcess) => Promise<unknown>

const read: Request = ({ sessions }) => sessions.find(sid)
const write: Request = async ({ sessions }) => {
  const known = await sessions.find(sid)
  if (!known) throw new Error('signed out')
  const json = JSON.stringify({ ...(JSON.parse(known.json) as Data), a: 1 })
  if (!(await sessions.save(sid, json, { ttlMs: TTL_MS, known }))) throw new Error('not stored')
}
const touch: Request = async ({ sessions }) => {
  const known = await sessions.find(sid)
  if (!known || !(await sessions.touch(sid, TTL_MS, known))) throw new Error('signed out')
}
const signOut: Request = ({ sessions }) => sessions.end(sid)
const create: Request = ({ sessions }) => sessions.save(sid, oldText({ n: 0 }), { ttlMs: TTL_MS, isNew: true })

const modes = ['read', 'move'] as const
const cases = modes.flatMap((mode) =>
  [false, true].flatMap((behind) =>
    (['old', 'copied'] as const).flatMap((start) =>
      Object.entries({ read, write, touch, signOut }).map(([name, request]) => ({
        mode,
        behind,
        start,
        name,
        request,
      })),
    ),
  ),
)

async function begin(start: 'old' | 'copied'): Promise<void> {
  sid = randomBytes(16).toString('hex')
  key = `sess:${sid}`
  await world.old.create(key, oldText({ n: 0 }), TTL_MS)
  if (start === 'copied') await inProcess('read', read)
}

async function inProcess(mode: 'read' | 'move', request: Request): Promise<unknown> {
  const process = await world.start(mode)
  try {
    return await request(process)
  } finally {
    await process.close()
  }
}

const dataOf = async (mode: 'read' | 'move'): Promise<Data | null> => {
  const found = (await inProcess(mode, read)) as { readonly json: string } | null
  return found && dataIn(found.json)
}

it.each(cases)('$name in $mode of a session that is $start; the lost step is carried out: $behind', async (given) => {
  const { mode, behind, start, request, name } = given
  let step = 1
  for (; step <= MOST_STEPS; step++) {
    await begin(start)
    const process = await world.start(mode)
    process.steps.lose(step, behind)
    const outcome = await request(process).then(
      () => 'answered',
      (error: unknown) => (error as { code?: string }).code ?? String(error),
    )
    await process.close()
    if (outcome === 'answered') break
    expect(outcome).toBe('COATCHECK_REDIS_TIMEOUT')
    if (name === 'signOut') {
      // The user tries again.
      await inProcess(mode, signOut)
      expect(await world.old.read(key)).toBeNull()
    } else {
      expect(await dataOf(mode)).toMatchObject({ n: 0 })
      await inProcess(mode, write)
    }
    for (const view of modes) expect(await dataOf(view)).toEqual(name === 'signOut' ? null : { n: 0, a: 1 })
    expect(await world.old.read(key)).toBeNull()
  }
  expect(step).toBeGreaterThan(1)
  expect(step).toBeLessThan(MOST_STEPS)
})

it.each(modes)('a creation in %s that fails leaves no session, or a whole one', async (mode) => {
  for (const behind of [false, true]) {
    for (let step = 1; step <= MOST_STEPS; step++) {
      sid = randomBytes(16).toString('hex')
      key = `sess:${sid}`
      const process = await world.start(mode)
      process.steps.lose(step, behind)
      const isAnswered = await create(process).then(
        () => true,
        () => false,
      )
      await process.close()
      if (isAnswered) break
      expect([null, { n: 0 }]).toContainEqual(await dataOf('read'))
      await inProcess(mode, create)
      expect(await dataOf('read')).toEqual({ n: 0 })
    }
  }
})

it('keeps the write of a `read` process beside a `move` process that could not remove the old record', async () => {
  // The last step of a move removes the old record.
  await begin('copied')
  const counting = await world.start('move')
  await counting.sessions.find(sid)
  const { count } = counting.steps
  await begin('copied')
  const [writer, mover] = [await world.start('read'), await world.start('move')]
  const known = (await writer.sessions.find(sid))!
  mover.steps.lose(count, false)
  await expect(mover.sessions.find(sid)).rejects.toMatchObject({ code: 'COATCHECK_REDIS_TIMEOUT' })
  const json = JSON.stringify({ ...(JSON.parse(known.json) as Data), a: 1 })
  expect(await writer.sessions.save(sid, json, { ttlMs: TTL_MS, known })).not.toBeNull()
  for (const view of ['read', 'move', 'read'] as const) expect(await dataOf(view)).toEqual({ n: 0, a: 1 })
  expect(await world.old.read(key)).toBeNull()
  await Promise.all([counting, writer, mover].map((process) => process.close()))
})
