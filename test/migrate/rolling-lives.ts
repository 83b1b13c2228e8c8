/** How long sessions of ours live in a rolling deployment, beside the old ones that they stand for. */
import type { createClient } from 'redis'
import { expect } from 'vitest'
import type { Keyring } from '../../src/keyring/keyring.ts'
import type { OldLibrary } from './old-library.ts'

/** Of every session of every origin. */
export const MAX_AGE_MS = 3_600_000

/**
 * Redis counts a life from the arrival of the write, and a write of these processes has five seconds to arrive. The end that the record
 * itself names, after which no session is handed out, has no such tolerance: `life-of-adopted.test.ts`.
 */
const IN_FLIGHT_MS = 5000

interface Lives {
  readonly client: ReturnType<typeof createClient>
  readonly keyring: Keyring
  readonly library: OldLibrary
  readonly oldKeys: () => Promise<string[]>
}

type Ends = ReadonlyMap<string, number>

const endAt = ({ client }: Lives, key: string): Promise<number> => client.pExpireTime(key)

async function oldEnds(lives: Lives): Promise<Ends> {
  const { client, library, oldKeys } = lives
  const ends = new Map<string, number>()
  for (const key of await oldKeys()) {
    const text = library.endIn && (await client.get(key))
    const end = text ? library.endIn?.(text) : await endAt(lives, key)
    if (end !== undefined && Number.isFinite(end) && end > 0) ends.set(key, end)
  }
  return ends
}

/** Compares our keys with the ends of the old keys that they stand for. @returns how many there were */
async function compare(lives: Lives, ends: Ends): Promise<number> {
  const { keyring, library } = lives
  let compared = 0
  for (const [key, end] of ends) {
    const ours = library.copyOf ? await endAt(lives, library.copyOf(key, keyring)) : -2
    if (ours === -2) continue
    compared++
    // -1: no expiry at all.
    expect(ours, key).toBeGreaterThan(0)
    expect(ours, key).toBeLessThanOrEqual(end + IN_FLIGHT_MS)
  }
  return compared
}

export const assertLives = {
  /** While old keys stand, no copy of ours outlives its old key. */
  async ofCopies(lives: Lives): Promise<void> {
    await compare(lives, await oldEnds(lives))
  },

  /** The ends of the old keys that nobody has taken over yet. */
  before: oldEnds,

  /** What was taken over since then ends no later than the old keys did, unless the library moves the end at each request. */
  async after(lives: Lives, ends: Ends): Promise<void> {
    const { library } = lives
    if (library.copyOf === undefined) return
    const latest = library.isRolling ? Date.now() + MAX_AGE_MS : 0
    const compared = await compare(lives, new Map([...ends].map(([key, end]) => [key, Math.max(end, latest)])))
    expect(compared).toBeGreaterThan(0)
  },
}
