/** A further key for a ring: drawn, with the entries that have to stand in `COATCHECK_KEYS` besides it. Changes nothing by itself. */
import type { Random } from '../core/random.ts'
import { createKeyring, namesEntryOf } from '../keyring/keyring.ts'

/** A new encryption key and the setting that contains it. */
export interface AddedKey {
  /** `id:base64`: a secret. Stands in front of the others. */
  readonly entry: string
  /** Id of the new key. */
  readonly id: string
  /**
   * `names:base64`: a secret too. Has to stand in a ring of two keys, so that users keep their names. `null`: the ring has one.
   */
  readonly namesEntry: string | null
  /** Of the ring as it is now, first one first. */
  readonly idsNow: readonly string[]
}

const KEY_BYTES = 32

/**
 * @param keys the ring as it is configured: entries, or one text of them
 * @param id of the new key. Default: one that says nothing about it
 * @throws {KeyringError} `COATCHECK_KEY_INVALID`: the ring as it is, or an id that is taken
 * @throws {ConfigError} `COATCHECK_CONFIG_MISSING`: the ring has no key
 */
export function addKey(keys: readonly string[], random: Random, id?: string): AddedKey {
  const entries = keys
    .flatMap((text) => text.split(','))
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '')
  const now = createKeyring(entries)
  const names = entries.find((entry) => entry.startsWith('names:'))
  const [only = ''] = entries
  const namesEntry = names === undefined ? namesEntryOf(only) : null
  const drawn = random.bytes(KEY_BYTES).toString('base64')
  const ofNew = id ?? createKeyring(drawn).active.id
  const entry = `${ofNew}:${drawn}`
  // The ring as it will be, so that nobody is handed an entry that it does not take.
  createKeyring([entry, ...entries, ...(namesEntry === null ? [] : [namesEntry])])
  return { entry, id: ofNew, namesEntry, idsNow: now.keys.map((key) => key.id) }
}
