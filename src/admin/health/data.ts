/** Checks a sample of the data in Redis: Coatcheck keys, Coatcheck keys under another prefix, and old keys of other stores. */
import type { Clock } from '../../core/clock.ts'
import { counted } from '../../core/counted.ts'
import type { Keyring } from '../../keyring/keyring.ts'
import { keyNameReader, prefixOfSession } from '../../stores/key-names.ts'
import type { StoreServer } from '../../stores/redis/operator-view.ts'
import { checkForeignKeys } from './foreign-data.ts'
import type { HealthNotes } from './health-report.ts'
import { type KeySample, sampleKeys } from './key-sample.ts'
import { checkLifetimes, checkOrphans, checkSealing, type OwnRecord } from './own-data.ts'
import { ifAllowed } from './server-info.ts'

interface Given {
  readonly prefix: string
  /** `null`: the keyring could not be created. */
  readonly keyring: Keyring | null
  readonly clock: Clock
  readonly signal: AbortSignal
  readonly seen: (what: string) => void
}

/** Coatcheck's records in the sample. */
export interface FoundRecords {
  readonly sessions: number
  /** Records that stores for other session libraries keep. */
  readonly ofLibraries: number
}

/** @returns `null` if the keys could not be read */
export async function checkData(notes: HealthNotes, server: StoreServer, given: Given): Promise<FoundRecords | null> {
  try {
    return await checkSample(notes, server, given)
  } catch (error) {
    notes.failed('Keys', error)
    return null
  }
}

/** @throws {RedisError} */
async function checkSample(
  notes: HealthNotes,
  { client, keys }: StoreServer,
  given: Given,
): Promise<FoundRecords | null> {
  const { prefix, keyring, clock, signal, seen } = given
  const samples: KeySample[] = []
  for (const port of client.servers()) {
    if ((await ifAllowed(port, ['SCAN', '0', 'COUNT', '1'])) === null) {
      notes.skipped('Keys', 'not allowed to look (+scan)')
      return null
    }
    samples.push(await sampleKeys(port, clock, signal, (count) => seen(`${port.endpoint}: ${counted(count, 'key')}`)))
  }
  const all = samples.flatMap((sample) => sample.keys)
  const read = keyNameReader(prefix)
  const records: OwnRecord[] = all.flatMap((key) => {
    const ours = read(key.name)
    return ours === null ? [] : [{ ...key, family: ours.family, userKey: ours.userKey }]
  })
  const ours = new Set(records.map(({ name }) => name))
  const others = all.filter(({ name }) => !ours.has(name))
  const sessions = records.filter(({ family }) => family === 'session').length
  const ofLibraries = records.filter(({ family }) => family === 'document').length
  const library = ofLibraries === 0 ? '' : `, ${counted(ofLibraries, 'record')} of other session libraries`
  const whole = samples.every(({ isWhole }) => isWhole) ? 'all' : 'a sample of'
  const elsewhere = others.filter(({ name }) => prefixOfSession(name) !== null)
  if (sessions === 0 && elsewhere.length > 0) {
    notes.found('DOCTOR_PREFIX', 'Keys', `none under "${prefix}", and ${elsewhere.length} ${prefixesOf(elsewhere)}`)
  } else
    notes.ok(
      'Keys',
      `${whole} ${counted(all.length, 'key')}: ${records.length} of Coatcheck, ${counted(sessions, 'session')}${library}`,
    )
  await checkLifetimes(notes, records)
  await checkOrphans(notes, records, keys, clock)
  if (keyring !== null) await checkSealing(notes, records, keyring)
  const elsewhereNames = new Set(elsewhere.map(({ name }) => name))
  await checkForeignKeys(
    notes,
    others.filter(({ name }) => !elsewhereNames.has(name)),
  )
  return { sessions, ofLibraries }
}

/** A prefix is part of a configuration and does not identify a person. */
function prefixesOf(sessions: readonly { readonly name: string }[]): string {
  const prefixes = new Set(sessions.map(({ name }) => prefixOfSession(name) ?? ''))
  return [...prefixes]
    .slice(0, 3)
    .map((prefix) => `under "${prefix}"`)
    .join(', ')
}
