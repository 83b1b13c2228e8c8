/**
 * Canaries detect eviction early. They are tiny keys that no code reads, one for each kind of record on each server. Eviction policies
 * begin with unused keys, or with those that expire first. So a canary is evicted before the first user is signed out. `PTTL` checks for a
 * canary, because it does not count as a use.
 * Only an operator plants them (`coatcheck doctor --canaries`, from a timer), never the application. A list of the planted canaries has no
 * TTL, so that volatile policies spare it. An allkeys policy may evict the list too. Then the canaries show nothing, and `evicted_keys` is
 * the only evidence.
 */
import type { Clock } from '../../core/clock.ts'
import type { RedisClientPort } from '../../redis/client-port.ts'
import type { KeyFinder } from '../../redis/key-finder.ts'
import type { StoreServer } from '../../stores/redis/operator-view.ts'
import type { HealthNotes } from './health-report.ts'
import type { EarlierMemory } from './redis-memory.ts'
import { CHECK_DEADLINE_MS, type ServerReport } from './server-info.ts'

const DAY_MS = 86_400_000
/** In the order in which the corresponding records expire, because one eviction policy begins with the key that expires first. */
const LIVES_MS = {
  signin: DAY_MS,
  ended: 2 * DAY_MS,
  session: 7 * DAY_MS,
  generation: 14 * DAY_MS,
  tokens: 30 * DAY_MS,
} as const
/** Share of its life. An earlier renewal would count as a use each time, so that the canary would be evicted last. */
const RENEWED_BELOW = 0.25
/** A canary that expires about now was not evicted. */
const MARGIN_MS = 60_000
/** How long the figures for memory growth are used. */
const BASE_MS = DAY_MS

const NAME = 'Canaries'
const deadline = { deadlineMs: CHECK_DEADLINE_MS }

/** Content of `canary:planted`. */
export interface Planted {
  /** Bytes used at that time, by server. */
  readonly memory: { readonly atMs: number; readonly ofServer: Readonly<Record<string, number>> }
  /** When each canary expires, epoch milliseconds, by name. */
  readonly endsAtMs: Readonly<Record<string, number>>
}

/**
 * @returns `null` if no canaries were planted, or the list is gone
 * @throws {RedisError}
 */
export async function plantedCanaries({ client, keys }: StoreServer): Promise<Planted | null> {
  const name = keys.canaries()
  const reply = await client.command(name, ['GET', name], deadline)
  try {
    const found = JSON.parse(String(reply)) as Partial<Planted> | null
    return found?.memory && found.endsAtMs ? { memory: found.memory, endsAtMs: found.endsAtMs } : null
  } catch {
    return null
  }
}

export function earlierMemoryOf(planted: Planted | null, endpoint: string): EarlierMemory | null {
  const usedBytes = planted?.memory.ofServer[endpoint]
  return planted === null || usedBytes === undefined ? null : { atMs: planted.memory.atMs, usedBytes }
}

/** @throws {RedisError} */
export async function checkCanaries(
  notes: HealthNotes,
  { client }: StoreServer,
  planted: Planted | null,
  clock: Clock,
): Promise<void> {
  if (planted === null) {
    notes.skipped(NAME, 'none planted; --canaries plants them')
    return
  }
  const due = Object.entries(planted.endsAtMs).filter(([, endsAtMs]) => endsAtMs > clock.now() + MARGIN_MS)
  const lost: string[] = []
  for (const [name] of due) if ((await lifeLeftMs(client, name)) === null) lost.push(name)
  if (lost.length > 0) notes.found('DOCTOR_CANARY_LOST', NAME, `${lost.length} of ${due.length}: ${lost.join(', ')}`)
  else notes.ok(NAME, `${due.length} alive`)
}

/**
 * Plants missing canaries and renews those that expire soon.
 * @throws {RedisError}
 */
export async function plantCanaries(
  { client, keys }: StoreServer,
  reports: readonly ServerReport[],
  find: KeyFinder,
  earlier: Planted | null,
  clock: Clock,
): Promise<number> {
  const endsAtMs: Record<string, number> = {}
  for (const { port } of reports) {
    for (const [recordClass, lifeMs] of Object.entries(LIVES_MS)) {
      const name = find(port, (number) => keys.canary(recordClass, number))
      if (name !== null) endsAtMs[name] = await planted(client, name, lifeMs, clock)
    }
  }
  const isOld = earlier === null || clock.now() - earlier.memory.atMs > BASE_MS
  const memory = isOld ? memoryOf(reports, clock) : earlier.memory
  const list = keys.canaries()
  await client.command(list, ['SET', list, JSON.stringify({ memory, endsAtMs } satisfies Planted)], deadline)
  return Object.keys(endsAtMs).length
}

async function planted(client: RedisClientPort, name: string, lifeMs: number, clock: Clock): Promise<number> {
  const leftMs = (await lifeLeftMs(client, name)) ?? 0
  if (leftMs > lifeMs * RENEWED_BELOW) return clock.now() + leftMs
  await client.command(name, ['SET', name, '1', 'PX', String(lifeMs)], deadline)
  return clock.now() + lifeMs
}

/** `null`: the key does not exist. */
async function lifeLeftMs(client: RedisClientPort, name: string): Promise<number | null> {
  const reply = (await client.command(name, ['PTTL', name], deadline)) as number
  return reply < 0 ? null : reply
}

function memoryOf(reports: readonly ServerReport[], clock: Clock): Planted['memory'] {
  const used = reports.flatMap(({ port, info }): [string, number][] => {
    const bytes = info?.number('used_memory') ?? null
    return bytes === null ? [] : [[port.endpoint, bytes]]
  })
  return { atMs: clock.now(), ofServer: Object.fromEntries(used) }
}
