/** Checks Coatcheck's own records in the sample: TTLs, related keys, and the encryption keys that sealed them. */
import { GENERATION_BYTES, SEALED_BY_BYTES } from '../../keyring/record-layout.ts'
import type { Clock } from '../../core/clock.ts'
import { counted } from '../../core/counted.ts'
import type { Keyring } from '../../keyring/keyring.ts'
import { keyTagOf } from '../../keyring/seal.ts'
import type { ServerPort } from '../../redis/client-port.ts'
import type { KeyFamily, KeyName } from '../../stores/key-names.ts'
import type { RedisKeys } from '../../stores/keys.ts'
import { isInSet, liveIdsOf } from '../../stores/redis/scripts/session-index.ts'
import { isAnonymousRecord } from '../../session/session-driver.ts'
import { TRANSACTION_LIFE_MS } from '../../oidc/transaction.ts'
import { FAMILIES } from '../key-families.ts'
import type { HealthNotes } from './health-report.ts'
import { inPortions, type SampledKey } from './key-sample.ts'
import { CHECK_DEADLINE_MS } from './server-info.ts'

/** Limits, because each record costs some more commands. */
const MAX_RECORDS = 300
const MAX_INDEXES = 100
const MEMBERS_PER_INDEX = 20
const deadline = { deadlineMs: CHECK_DEADLINE_MS }

export type OwnRecord = SampledKey & Pick<KeyName, 'family' | 'userKey'>

export async function checkLifetimes(notes: HealthNotes, records: readonly OwnRecord[]): Promise<void> {
  const mortal = records.filter(({ family }) => FAMILIES[family].mayStay !== true)
  const lives = await inPortions(mortal, ({ name, port }) => port.command(name, ['PTTL', name], deadline))
  const immortal = lives.filter((ttl) => ttl === -1).length
  if (immortal > 0) notes.found('DOCTOR_KEYS_WITHOUT_TTL', 'Lifetimes', `${immortal} of ${mortal.length} have none`)
  else if (mortal.length > 0) notes.ok('Lifetimes', `each of ${counted(mortal.length, 'key')} has one`)
}

export async function checkOrphans(
  notes: HealthNotes,
  records: readonly OwnRecord[],
  keys: RedisKeys,
  clock: Clock,
): Promise<void> {
  const indexes = ofFamily(records, 'generation').slice(0, MAX_INDEXES)
  const entries = await inPortions(indexes, (index) => missingSessionsOf(index, keys, clock))
  const sessions = ofFamily(records, 'session').slice(0, MAX_RECORDS)
  const users = await inPortions(sessions, (session) => isWithoutGeneration(session, keys))
  const ofIndexes = entries.reduce((sum, count) => sum + count, 0)
  const ofUsers = users.filter((isOrphan) => isOrphan).length
  const parts = [
    ...(ofIndexes > 0 ? [`${counted(ofIndexes, 'entry of a list leads', 'entries of lists lead')} to no session`] : []),
    ...(ofUsers > 0 ? [`${counted(ofUsers, 'session has', 'sessions have')} no generation`] : []),
  ]
  if (parts.length > 0) notes.found('DOCTOR_ORPHANS', 'Orphans', parts.join(', '))
  else if (indexes.length + sessions.length > 0) {
    notes.ok('Orphans', `none in ${counted(indexes.length, 'list')} and ${counted(sessions.length, 'session')}`)
  }
}

/** Checks which key sealed the records. */
export async function checkSealing(notes: HealthNotes, records: readonly OwnRecord[], keyring: Keyring): Promise<void> {
  const sessions = ofFamily(records, 'session').slice(0, MAX_RECORDS)
  const tags = (await inPortions(sessions, (record) => tagAt(record, GENERATION_BYTES))).filter((tag) => tag !== null)
  const known = new Map(keyring.keys.map(({ tag, id }) => [tag.toString('hex'), id]))
  const unknown = tags.filter((tag) => !known.has(tag)).length
  const label = 'Sealed with'
  if (tags.length > 0 && unknown === tags.length) {
    notes.found(
      'DOCTOR_KEY_WRONG',
      label,
      `${unknown} of ${counted(tags.length, 'session')} ${unknown === 1 ? 'has' : 'have'} another key`,
    )
  } else if (unknown > 0) notes.found('DOCTOR_KEY_RETIRED', label, `${unknown} of ${counted(tags.length, 'session')}`)
  else if (tags.length > 0) notes.ok(label, sharesOf(tags, known))
  await checkOrder(notes, records, keyring, known)
}

/** A sign-in that began minutes ago was sealed by a process that runs now. */
async function checkOrder(
  notes: HealthNotes,
  records: readonly OwnRecord[],
  { active }: Keyring,
  known: ReadonlyMap<string, string>,
): Promise<void> {
  const signIns = ofFamily(records, 'signIn').slice(0, MAX_RECORDS)
  const tags = await inPortions(signIns, (record) => tagAt(record, 0))
  const others = tags.filter((tag) => tag !== null && known.has(tag) && tag !== active.tag.toString('hex'))
  const [other] = others
  if (other === undefined || other === null) return
  const says = `${others.length} of ${counted(tags.length, 'sign-in')} of the last ${TRANSACTION_LIFE_MS / 60_000} minutes: "${known.get(other) ?? ''}"`
  notes.found('DOCTOR_KEY_ORDER', 'Sealing now', says)
}

/** `null` if the key is gone meanwhile, or is not a sealed record. */
async function tagAt({ name, port }: SampledKey, headroom: number): Promise<string | null> {
  const args = ['GETRANGE', name, '0', String(headroom + SEALED_BY_BYTES - 1)]
  const bytes = (await port.command(name, args, deadline)) as Buffer
  return bytes.length < headroom + SEALED_BY_BYTES || bytes[headroom] !== 1
    ? null
    : keyTagOf(bytes, headroom).toString('hex')
}

function sharesOf(tags: readonly string[], known: ReadonlyMap<string, string>): string {
  const shares = [...known].map(([tag, id]) => [id, tags.filter((one) => one === tag).length] as const)
  const used = shares.filter(([, count]) => count > 0).map(([id, count]) => `"${id}" ${count}`)
  return `${used.join(', ')} of ${counted(tags.length, 'session')}`
}

function ofFamily(records: readonly OwnRecord[], wanted: KeyFamily): readonly OwnRecord[] {
  return records.filter(({ family }) => family === wanted)
}

/** Counts live index entries of a user whose session record is missing. */
async function missingSessionsOf({ name, port, userKey }: OwnRecord, keys: RedisKeys, clock: Clock): Promise<number> {
  const ids = await liveIds(port, name, keys.sessions(userKey), clock)
  const missing = await inPortions(ids.slice(0, MEMBERS_PER_INDEX), async (id) => {
    const session = keys.session(userKey, id)
    return (await port.command(session, ['EXISTS', session], deadline)) === 1 ? null : id
  })
  const suspects = missing.filter((id) => id !== null)
  if (suspects.length === 0) return 0
  // The sessions may have ended in between, together with their entries.
  const still = new Set(await liveIds(port, name, keys.sessions(userKey), clock))
  return suspects.filter((id) => still.has(id)).length
}

/** The index follows the generation in the same value; for a user with many sessions it is in a set: see stores/redis/scripts/session-index.ts. */
async function liveIds(port: ServerPort, generation: string, set: string, clock: Clock): Promise<readonly string[]> {
  const value = (await port.command(generation, ['GET', generation], deadline)) as Buffer | null
  const index = value?.toString('latin1', GENERATION_BYTES) ?? ''
  if (!isInSet(index)) return liveIdsOf(index, clock.now())
  const args = ['ZRANGEBYSCORE', set, String(clock.now()), '+inf', 'LIMIT', '0', String(MEMBERS_PER_INDEX)]
  return ((await port.command(set, args, deadline)) as readonly Buffer[]).map(String)
}

/** Anonymous sessions have no generation and need none. */
async function isWithoutGeneration({ name, port, userKey }: OwnRecord, keys: RedisKeys): Promise<boolean> {
  const generation = keys.generation(userKey)
  if ((await port.command(generation, ['EXISTS', generation], deadline)) === 1) return false
  const bytes = (await port.command(name, ['GETRANGE', name, '0', String(GENERATION_BYTES - 1)], deadline)) as Buffer
  return !isAnonymousRecord(bytes)
}
