/**
 * Canaries: tiny keys that nobody reads, one for each kind of record on each server. Policies that evict begin with what was
 * not used, or with what ends first; so a canary goes before the first user is signed out. `PTTL` asks whether one is there,
 * since that does not count as a use.
 * They are planted when somebody asks for it (`coatcheck doctor --canaries`, from a timer), never by the application. The list
 * of what was planted lies beside them without a lifetime, so that volatile policies spare it. An allkeys policy may take it with
 * everything else: then nothing is known, and `evicted_keys` has to tell.
 */
import type { Clock } from '../../core/clock.ts'
import type { RedisClientPort } from '../../redis/client-port.ts'
import type { KeyFinder } from '../../redis/key-finder.ts'
import type { StoreServer } from '../../stores/redis/operator-view.ts'
import type { HealthNotes } from './health-report.ts'
import type { EarlierMemory } from './redis-memory.ts'
import { LOOK_MS, type ServerLook } from './server-info.ts'

const DAY_MS = 86_400_000
/** In the order in which the records that they stand for end, since one of the policies begins with what ends first. */
const LIVES_MS = {
  signin: DAY_MS,
  ended: 2 * DAY_MS,
  session: 7 * DAY_MS,
  generation: 14 * DAY_MS,
  tokens: 30 * DAY_MS,
} as const
/** Of its life; earlier would count as a use again and again, and make it the last one to be evicted. */
const RENEWED_BELOW = 0.25
/** One that ends about now has not been lost. */
const MARGIN_MS = 60_000
/** How old the figures for the growth of memory become. */
const BASE_MS = DAY_MS

const NAME = 'Canaries'
const deadline = { deadlineMs: LOOK_MS }

/** What lies in `canary:planted`. */
export interface Planted {
  /** Bytes used at that time, by server. */
  readonly memory: { readonly atMs: number; readonly ofServer: Readonly<Record<string, number>> }
  /** When each of them ends, epoch milliseconds, by name. */
  readonly endsAtMs: Readonly<Record<string, number>>
}

/** @returns `null` when none were planted, or the list is gone. @throws {RedisError} */
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

/** Plants what is missing and renews what ends soon. @throws {RedisError} */
export async function plantCanaries(
  { client, keys }: StoreServer,
  looks: readonly ServerLook[],
  find: KeyFinder,
  earlier: Planted | null,
  clock: Clock,
): Promise<number> {
  const endsAtMs: Record<string, number> = {}
  for (const { port } of looks) {
    for (const [recordClass, lifeMs] of Object.entries(LIVES_MS)) {
      const name = find(port, (number) => keys.canary(recordClass, number))
      if (name !== null) endsAtMs[name] = await planted(client, name, lifeMs, clock)
    }
  }
  const isOld = earlier === null || clock.now() - earlier.memory.atMs > BASE_MS
  const memory = isOld ? memoryOf(looks, clock) : earlier.memory
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

/** `null`: it is not there. */
async function lifeLeftMs(client: RedisClientPort, name: string): Promise<number | null> {
  const reply = (await client.command(name, ['PTTL', name], deadline)) as number
  return reply < 0 ? null : reply
}

function memoryOf(looks: readonly ServerLook[], clock: Clock): Planted['memory'] {
  const used = looks.flatMap(({ port, info }): [string, number][] => {
    const bytes = info?.number('used_memory') ?? null
    return bytes === null ? [] : [[port.endpoint, bytes]]
  })
  return { atMs: clock.now(), ofServer: Object.fromEntries(used) }
}
