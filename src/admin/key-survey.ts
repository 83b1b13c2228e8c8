/**
 * Surveys the keys in Redis by family: number, size, keys without a TTL, state of the sessions, orphans. It counts all names, or only those
 * of the first steps for an estimate, and examines a part of the keys. `SCAN` follows the hashes of names, so any part of a scan is a fair
 * sample.
 */
import { FAMILIES } from './key-families.ts'
import { KEY_FAMILIES, type KeyFamily, type KeyName, keyNameReader } from '../stores/key-names.ts'
import { type OrphanContext, type OrphanKind, ORPHANS, orphansOf } from './orphans.ts'
import { type SessionCensus, SessionTally } from './session-tally.ts'
import { statusOfRecord } from './session-status.ts'
import { askFor, keyCount, scanKeys, type ScanContext, type ScanOptions } from './scan.ts'

/** Counts of one key family. */
export interface FamilyCount {
  /** Name of the key family. */
  readonly family: string
  /** Number of keys. Exact if `KeySurvey.isWhole`, else estimated. */
  readonly count: number
  /** Number of keys that were examined. `bytes` and `withoutTtl` are derived from them. */
  readonly sampled: number
  /** Memory of all keys of the family (`MEMORY USAGE`), bytes: scaled up from the examined ones. */
  readonly bytes: number
  /** Share of the examined keys without a TTL, 0 to 1. */
  readonly withoutTtl: number
  /** Whether keys of this family may have no TTL. */
  readonly mayStay: boolean
}

/** The result of `surveyKeys()`: counts of keys, sessions and orphans. */
export interface KeySurvey {
  /** Number of key names that were scanned. */
  readonly scanned: number
  /** Number of keys on all servers, those of other applications included. */
  readonly total: number
  /** Whether all key names were counted. False: the counts are estimates. */
  readonly isWhole: boolean
  /** Whether all keys of Coatcheck were examined. False: memory, sessions and orphans are estimates or samples. */
  readonly isExact: boolean
  /** Counts by key family; families without a key are left out. */
  readonly families: readonly FamilyCount[]
  /** Number of keys that are not from Coatcheck, or have another prefix. */
  readonly foreign: number
  /** Counts of sessions. */
  readonly sessions: SessionCensus
  /** Number of users who have or recently had a session. */
  readonly users: number
  /** Number of orphans among the examined keys, not scaled up. All 0 without `SurveyOptions.orphans`. */
  readonly orphans: { readonly [Kind in OrphanKind]: number }
}

/** Options of `surveyKeys()`. */
export interface SurveyOptions extends ScanOptions {
  /** About how many keys to examine. Default 20,000. `Infinity`: all. */
  readonly examine?: number
  /** Whether to search for orphans too: one to three more commands for each examined key. Default false. */
  readonly orphans?: boolean
}

export const EXAMINED_KEYS = 20_000
/** Minimum number of examined keys per family, however rare the family is. */
const MIN_EXAMINED_PER_FAMILY = 100
/** Keys per batch: some 100 µs of the server's time. */
const AT_ONCE = 25

type Context = ScanContext & OrphanContext & { readonly prefix: string }

/**
 * Counts the keys in Redis with `SCAN`, in small steps with pauses, and examines a part of them. Only reads. Not one atomic step: keys
 * may come and go meanwhile.
 * @param context the result of `openServer()` or `openAdmin()`
 * @throws {RedisError} during an outage; `COATCHECK_REDIS_NOPERM` without the right to a command
 */
export async function surveyKeys(context: Context, options: SurveyOptions): Promise<KeySurvey> {
  const { server, prefix } = context
  const { examine = EXAMINED_KEYS, orphans = false } = options
  const read = keyNameReader(prefix)
  const total = await keyCount(server)
  const every = Math.max(1, Math.ceil(Math.min(total, maxScanned(context, options)) / examine))
  const tallies = new Map(KEY_FAMILIES.map((family) => [family, new FamilyTally()]))
  const sessions = new SessionTally()
  const left = Object.fromEntries(Object.keys(ORPHANS).map((kind) => [kind, 0])) as Record<OrphanKind, number>
  let scanned = 0
  let foreign = 0

  const examineKey = async (name: KeyName): Promise<void> => {
    const { key, family } = name
    const [bytes, lifeMs] = await Promise.all([
      askFor(server, key, ['MEMORY', 'USAGE', key]),
      askFor(server, key, ['PTTL', key]),
      family === 'session' ? statusOfRecord(server, name).then((status) => sessions.add(status)) : null,
    ])
    tallies.get(family)?.addExamined(Number(bytes ?? 0), Number(lifeMs))
    if (!orphans) return
    for (const { kind } of await orphansOf(context, name)) left[kind]++
  }

  for await (const step of scanKeys(context, options)) {
    scanned += step.length
    const chosen: KeyName[] = []
    for (const key of step) {
      const name = read(key)
      if (name === null) foreign++
      else if (tallies.get(name.family)?.isNext(every) === true) chosen.push(name)
    }
    for (let at = 0; at < chosen.length; at += AT_ONCE)
      await Promise.all(chosen.slice(at, at + AT_ONCE).map(examineKey))
  }

  const isWhole = options.maxPerServer === undefined || scanned >= total
  const scale = isWhole || scanned === 0 ? 1 : total / scanned
  const families = [...tallies].flatMap(([family, tally]) => (tally.count === 0 ? [] : [tally.result(family, scale)]))
  const countOf = (family: KeyFamily): number => (tallies.get(family)?.count ?? 0) * scale
  return {
    scanned,
    total,
    isWhole: isWhole && !options.signal.aborted,
    isExact: isWhole && families.every(({ count, sampled }) => count === sampled),
    families,
    foreign: Math.round(foreign * scale),
    sessions: sessions.result(countOf('session')),
    users: Math.round(countOf('generation')),
    orphans: left,
  }
}

function maxScanned({ server }: Context, { maxPerServer = Infinity }: SurveyOptions): number {
  return maxPerServer * server.client.servers().length
}

class FamilyTally {
  count = 0
  #sampled = 0
  #bytes = 0
  #endless = 0

  /**
   * Counts one more key.
   * @returns whether to examine it
   */
  isNext(every: number): boolean {
    this.count++
    return this.count <= MIN_EXAMINED_PER_FAMILY || this.count % every === 0
  }

  addExamined(bytes: number, lifeMs: number): void {
    this.#sampled++
    this.#bytes += bytes
    if (lifeMs === -1) this.#endless++
  }

  result(family: KeyFamily, scale: number): FamilyCount {
    const { name, mayStay = false } = FAMILIES[family]
    const count = Math.round(this.count * scale)
    const sampled = this.#sampled
    return {
      family: name,
      count,
      sampled,
      bytes: sampled === 0 ? 0 : Math.round((this.#bytes / sampled) * count),
      withoutTtl: sampled === 0 ? 0 : this.#endless / sampled,
      mayStay,
    }
  }
}
