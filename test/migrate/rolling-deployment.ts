/**
 * A rolling deployment from an old session library to ours, with a rollback in the middle: two old and two new processes serve the same
 * visitors at once. Each process is an instance of its library with connections of its own.
 */
import { expect } from 'vitest'

/** One process of the application: the real library, signed in to through its own interface. */
export interface AppProcess<V> {
  signIn(name: string): Promise<V>
  /** What the visitor sees: the last note that was written; `null` when the visitor is signed out. */
  noteOf(visitor: V): Promise<string | null>
  /** Changes the session of the visitor. False: the visitor is signed out. */
  write(visitor: V, note: string): Promise<boolean>
  signOut(visitor: V): Promise<void>
  close(): Promise<void>
}

export interface RollingApplication<V> {
  startOld(): Promise<AppProcess<V>>
  startNew(mode: 'read' | 'move'): Promise<AppProcess<V>>
  /** The names of the old keys that are left. */
  oldKeys(): Promise<readonly string[]>
}

interface Known<V> {
  readonly visitor: V
  note: string | null
}

const SESSIONS = 200
const ROUNDS = 150
const AT_ONCE = 8

export async function rollingDeployment<V>(app: RollingApplication<V>): Promise<void> {
  const random = seeded(7)
  const pick = <T>(all: readonly T[]): T => all[random() % all.length] as T
  const all: Known<V>[] = []
  let count = 0
  const join = async (process: AppProcess<V>): Promise<void> => {
    const name = `visitor${count++}`
    const visitor = await process.signIn(name)
    all.push({ visitor, note: await process.noteOf(visitor) })
  }
  const check = async (process: AppProcess<V>, one: Known<V>, where: string): Promise<void> => {
    expect(await process.noteOf(one.visitor), where).toBe(one.note)
  }

  /** Requests of different visitors run at once; those of one visitor one after the other, each on another process. */
  const traffic = async (processes: readonly AppProcess<V>[], phase: string): Promise<void> => {
    const busy = new Set<Known<V>>()
    const request = async (): Promise<void> => {
      const free = all.filter((one) => !busy.has(one))
      const one = pick(free)
      busy.add(one)
      const kind = random() % 10
      try {
        if (kind === 0) {
          await join(pick(processes))
        } else if (kind === 1) {
          await pick(processes).signOut(one.visitor)
          one.note = null
        } else if (kind < 5) {
          const note = `${phase} ${count}.${random() % 1000}`
          const isWritten = await pick(processes).write(one.visitor, note)
          expect(isWritten, `${phase}: a write`).toBe(one.note !== null)
          if (isWritten) one.note = note
        }
        await check(pick(processes), one, `${phase}: a read after ${kind}`)
        await check(pick(processes), one, `${phase}: a second read after ${kind}`)
      } finally {
        busy.delete(one)
      }
    }
    for (let round = 0; round < ROUNDS; round += AT_ONCE) await Promise.all(Array.from({ length: AT_ONCE }, request))
  }

  const old = [await app.startOld(), await app.startOld()]
  for (let begun = 0; begun < SESSIONS; begun += 20) {
    await Promise.all(Array.from({ length: 20 }, () => join(pick(old))))
  }
  const first = [await app.startNew('read'), await app.startNew('read')]
  await traffic([...old, ...first], 'first rollout')
  for (const process of first) await process.close()
  await traffic(old, 'rollback')
  for (const one of all) await check(pick(old), one, 'after the rollback')

  const second = [await app.startNew('read'), await app.startNew('read')]
  await traffic([...old, ...second], 'second rollout')
  for (const process of old) await process.close()
  await traffic(second, 'new processes alone')

  const moving = [await app.startNew('move'), await app.startNew('move')]
  await traffic([...second, ...moving], 'read and move at once')
  for (const process of second) await process.close()
  for (const one of all) await check(pick(moving), one, 'after the move')
  await traffic(moving, 'move')
  for (const process of moving) await process.close()

  expect(all.filter(({ note }) => note !== null).length).toBeGreaterThan(SESSIONS / 4)
  expect(all.filter(({ note }) => note === null).length).toBeGreaterThan(20)
  expect(await app.oldKeys()).toEqual([])
}

function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state >>> 8
  }
}
