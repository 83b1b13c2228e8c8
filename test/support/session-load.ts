/** Callers that read and write sessions without a pause, each its own, and what they saw: for faults that happen meanwhile. */
import { randomBytes } from 'node:crypto'
import { expect } from 'vitest'
import { coatcheck } from '../../src/entries/coatcheck.ts'
import { expectWithin, HANG_MS } from '../lab/limits.ts'
import type { Coatcheck } from '../../src/app/coatcheck.ts'
import type { StoreFactory } from '../../src/stores/store.ts'

export interface SessionLoad {
  /** One of each caller's sessions, by caller. */
  readonly tickets: readonly string[]
  readonly auth: Coatcheck<Counting>
  readonly seen: Seen
  /** Acknowledged increments of each caller's counter. */
  readonly written: readonly number[]
  /** Forgets what was seen so far. */
  restart(): void
  /** Until every caller has succeeded after this call. @returns when the last one did, in ms from now */
  recovered(limitMs: number): Promise<number>
  /** The counters as they are stored, after the last operation of each caller. */
  counts(): Promise<readonly (number | null)[]>
  stop(): Promise<void>
}

/**
 * After a failover: all work again, nobody waited longer than was promised, and nobody is signed out.
 * @returns the worst of it, in words
 */
export async function expectRecovered(load: SessionLoad): Promise<string> {
  const recoveryMs = await load.recovered(HANG_MS)
  const { longestMs } = load.seen
  expectWithin(recoveryMs, RECOVERY_MS)
  expectWithin(longestMs, LONGEST_MS)
  expect([...load.seen.misses.keys()]).toEqual([])
  return `longest wait ${Math.round(longestMs)} ms, all work after ${Math.round(recoveryMs)} ms, 0 signed out`
}

/** From here on everything goes well. */
export async function expectCalm(load: SessionLoad): Promise<void> {
  load.restart()
  while (load.seen.operations < 2000) await new Promise((resolve) => setTimeout(resolve, 20))
  expect(Object.fromEntries(load.seen.errors)).toEqual({})
  expect([...load.seen.misses.keys()]).toEqual([])
}

export interface Counting {
  count: number
}

export interface Seen {
  operations: number
  longestMs: number
  /** Error codes and how often. */
  readonly errors: Map<string, number>
  /** Reasons for which a session was not found: none should be. */
  readonly misses: Map<string, number>
  /** Longest time between two successes of one caller. */
  longestGapMs: number
}

const PAUSE_MS = 2
const RECOVERY_MS = 1000
/** Deadline of a change, two ticks, and the time that the machine takes. */
const LONGEST_MS = 1000 + 50 + 400
const KEYS = randomBytes(32).toString('base64')

export async function startSessionLoad(store: StoreFactory, callers = 64): Promise<SessionLoad> {
  const auth = coatcheck<Counting>({ store, keys: KEYS, baseUrl: 'http://localhost:3000' })
  await auth.ready()
  const tickets: string[] = []
  for (let i = 0; i < callers; i++) {
    tickets.push((await auth.sessions.create({ userId: `user-${i}`, data: { count: 0 } })).ticket)
  }
  let seen = fresh()
  const written = tickets.map(() => 0)
  let isOver = false
  const lastSuccess = tickets.map(() => performance.now())
  const call = async (i: number): Promise<void> => {
    const ticket = tickets[i] ?? ''
    for (let turn = 0; !isOver; turn++) {
      const start = performance.now()
      try {
        // Every eighth operation writes.
        if (turn % 8 === 7) {
          await auth.sessions.update(ticket, (draft) => {
            draft.count++
          })
          written[i] = (written[i] ?? 0) + 1
        } else {
          const found = await auth.sessions.find(ticket)
          if (found.session === null) add(seen.misses, found.reason)
        }
        const now = performance.now()
        seen.longestGapMs = Math.max(seen.longestGapMs, now - (lastSuccess[i] ?? now))
        lastSuccess[i] = now
      } catch (error) {
        add(seen.errors, (error as { code?: string }).code ?? String(error))
      }
      seen.operations++
      seen.longestMs = Math.max(seen.longestMs, performance.now() - start)
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS))
    }
  }
  const running = tickets.map((_, i) => call(i))
  return {
    tickets,
    auth,
    written,
    get seen() {
      return seen
    },
    restart() {
      seen = fresh()
    },
    async recovered(limitMs) {
      const from = performance.now()
      while (lastSuccess.some((at) => at < from)) {
        if (performance.now() - from > limitMs) throw new Error(`not all have recovered within ${limitMs} ms`)
        await new Promise((resolve) => setTimeout(resolve, 5))
      }
      return Math.max(...lastSuccess) - from
    },
    async counts() {
      isOver = true
      await Promise.all(running)
      const found = await Promise.all(tickets.map((ticket) => auth.sessions.find(ticket)))
      return found.map(({ session }) => session?.data.count ?? null)
    },
    async stop() {
      isOver = true
      await Promise.all(running)
      await auth.close()
    },
  }
}

function fresh(): Seen {
  return { operations: 0, longestMs: 0, errors: new Map(), misses: new Map(), longestGapMs: 0 }
}

function add(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1)
}
