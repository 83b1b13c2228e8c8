/** Our own records in the sample: lifetimes, parts that belong together, and the keys that they were sealed with. */
import type { Clock } from '../../core/clock.ts'
import type { Keyring } from '../../keyring/keyring.ts'
import { keyTagOf } from '../../keyring/seal.ts'
import type { RedisKeys } from '../../redis/keys.ts'
import { GENERATION_BYTES } from '../../session/session-driver.ts'
import { TRANSACTION_LIFE_MS } from '../../oidc/transaction.ts'
import type { HealthNotes } from './health-report.ts'
import { inPortions, type SampledKey } from './key-sample.ts'
import { LOOK_MS } from './server-info.ts'

/** Each of them costs some commands more. */
const MOST_RECORDS = 300
const MOST_INDEXES = 100
const MEMBERS_PER_INDEX = 20
const HEADER_BYTES = 5
const deadline = { deadlineMs: LOOK_MS }

export interface OwnRecord extends SampledKey {
  /** Without the prefix. */
  readonly own: string
}

export async function checkLifetimes(notes: HealthNotes, records: readonly OwnRecord[]): Promise<void> {
  // Users and accounts of Auth.js, and values of better-auth without one, are kept until somebody deletes them; so is our list.
  const mortal = records.filter(({ own }) => !/^host(?:-set)?:|^canary:planted$/.test(own))
  const lives = await inPortions(mortal, ({ name, port }) => port.command(name, ['PTTL', name], deadline))
  const immortal = lives.filter((ttl) => ttl === -1).length
  if (immortal > 0) notes.found('DOCTOR_KEYS_WITHOUT_TTL', 'Lifetimes', `${immortal} of ${mortal.length} have none`)
  else if (mortal.length > 0) notes.ok('Lifetimes', `each of ${mortal.length.toLocaleString('en')} keys has one`)
}

export async function checkOrphans(
  notes: HealthNotes,
  records: readonly OwnRecord[],
  keys: RedisKeys,
  clock: Clock,
): Promise<void> {
  const indexes = ofPattern(records, /^user:\{([^}]+)\}:sessions$/).slice(0, MOST_INDEXES)
  const entries = await inPortions(indexes, (index) => missingSessionsOf(index, keys, clock))
  const sessions = ofPattern(records, /^user:session:\{([^}]+)\}:/).slice(0, MOST_RECORDS)
  const users = await inPortions(sessions, (session) => isWithoutGeneration(session, keys))
  const ofIndexes = entries.reduce((sum, count) => sum + count, 0)
  const ofUsers = users.filter((isOrphan) => isOrphan).length
  const parts = [
    ...(ofIndexes > 0 ? [`${ofIndexes} entries of lists lead to no session`] : []),
    ...(ofUsers > 0 ? [`${ofUsers} sessions have no generation`] : []),
  ]
  if (parts.length > 0) notes.found('DOCTOR_ORPHANS', 'Orphans', parts.join(', '))
  else if (indexes.length + sessions.length > 0) {
    notes.ok('Orphans', `none in ${indexes.length} lists and ${sessions.length} sessions`)
  }
}

/** Which key sealed what lies there. */
export async function checkSealing(notes: HealthNotes, records: readonly OwnRecord[], keyring: Keyring): Promise<void> {
  const sessions = records.filter(({ own }) => own.startsWith('user:session:')).slice(0, MOST_RECORDS)
  const tags = (await inPortions(sessions, (record) => tagAt(record, GENERATION_BYTES))).filter((tag) => tag !== null)
  const known = new Map(keyring.keys.map(({ tag, id }) => [tag.toString('hex'), id]))
  const unknown = tags.filter((tag) => !known.has(tag)).length
  const label = 'Sealed with'
  if (tags.length > 0 && unknown === tags.length) {
    notes.found('DOCTOR_KEY_WRONG', label, `${unknown} of ${tags.length} sessions have another key`)
  } else if (unknown > 0) notes.found('DOCTOR_KEY_RETIRED', label, `${unknown} of ${tags.length} sessions`)
  else if (tags.length > 0) notes.ok(label, sharesOf(tags, known))
  await checkOrder(notes, records, keyring, known)
}

/** A sign-in that began minutes ago was sealed by whoever runs now. */
async function checkOrder(
  notes: HealthNotes,
  records: readonly OwnRecord[],
  { active }: Keyring,
  known: ReadonlyMap<string, string>,
): Promise<void> {
  const signIns = records.filter(({ own }) => own.startsWith('signin:')).slice(0, MOST_RECORDS)
  const tags = await inPortions(signIns, (record) => tagAt(record, 0))
  const others = tags.filter((tag) => tag !== null && known.has(tag) && tag !== active.tag.toString('hex'))
  const [other] = others
  if (other === undefined || other === null) return
  const says = `${others.length} of ${tags.length} sign-ins of the last ${TRANSACTION_LIFE_MS / 60_000} minutes: "${known.get(other) ?? ''}"`
  notes.found('DOCTOR_KEY_ORDER', 'Sealing now', says)
}

/** `null` when it has gone meanwhile, or is no sealed record. */
async function tagAt({ name, port }: SampledKey, headroom: number): Promise<string | null> {
  const args = ['GETRANGE', name, '0', String(headroom + HEADER_BYTES - 1)]
  const bytes = (await port.command(name, args, deadline)) as Buffer
  return bytes.length < headroom + HEADER_BYTES || bytes[headroom] !== 1
    ? null
    : keyTagOf(bytes, headroom).toString('hex')
}

function sharesOf(tags: readonly string[], known: ReadonlyMap<string, string>): string {
  const shares = [...known].map(([tag, id]) => [id, tags.filter((one) => one === tag).length] as const)
  const used = shares.filter(([, count]) => count > 0).map(([id, count]) => `"${id}" ${count}`)
  return `${used.join(', ')} of ${tags.length} sessions`
}

interface Part extends OwnRecord {
  readonly userKey: string
}

function ofPattern(records: readonly OwnRecord[], pattern: RegExp): Part[] {
  return records.flatMap((record) => {
    const userKey = pattern.exec(record.own)?.[1]
    return userKey === undefined ? [] : [{ ...record, userKey }]
  })
}

async function missingSessionsOf({ name, port, userKey }: Part, keys: RedisKeys, clock: Clock): Promise<number> {
  const args = ['ZRANGEBYSCORE', name, String(clock.now()), '+inf', 'LIMIT', '0', String(MEMBERS_PER_INDEX)]
  const members = ((await port.command(name, args, deadline)) as readonly Buffer[])
    .map(String)
    .filter((id) => id !== '-')
  const missing = await inPortions(members, async (id) => {
    const session = keys.session(userKey, id)
    if ((await port.command(session, ['EXISTS', session], deadline)) === 1) return false
    // It may have ended in between, and its entry with it.
    return (await port.command(name, ['ZSCORE', name, id], deadline)) !== null
  })
  return missing.filter((isMissing) => isMissing).length
}

/** Anonymous sessions have none and need none: their eight bytes are zero. */
async function isWithoutGeneration({ name, port, userKey }: Part, keys: RedisKeys): Promise<boolean> {
  const generation = keys.generation(userKey)
  if ((await port.command(generation, ['EXISTS', generation], deadline)) === 1) return false
  const bytes = (await port.command(name, ['GETRANGE', name, '0', String(GENERATION_BYTES - 1)], deadline)) as Buffer
  return bytes.some((byte) => byte !== 0)
}
