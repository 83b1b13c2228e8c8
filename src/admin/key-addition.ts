/** Creates a further encryption key, with the entries that `COATCHECK_KEYS` needs besides it. Changes no setting. */
import type { Random } from '../core/random.ts'
import { createKeyring, namesEntryOf } from '../keyring/keyring.ts'

/** A new encryption key, and the entries for `COATCHECK_KEYS`. */
export interface AddedKey {
  /** The new entry `id:base64`: a secret. Put it behind the others, restart all processes, then move it to the front. */
  readonly entry: string
  /** Id of the new key. It is no secret. */
  readonly id: string
  /**
   * The entry `names:base64`: a secret. `COATCHECK_KEYS` needs it as soon as it holds two keys, so that the hashes of user ids stay the
   * same. `null`: the entry exists already.
   */
  readonly namesEntry: string | null
  /** Ids of the keys that were passed in, in their order. */
  readonly idsNow: readonly string[]
}

const KEY_BYTES = 32

/**
 * Creates a random encryption key of 32 bytes. Changes no setting: the operator puts the entries into `COATCHECK_KEYS`.
 * @param keys the current entries, from `configuredKeys()`
 * @param random source of random bytes
 * @param id id of the new key. Default: one derived from the key
 * @throws {KeyringError} `COATCHECK_KEY_INVALID` when a current entry is invalid, or the id is taken
 * @throws {ConfigError} `COATCHECK_CONFIG_MISSING` when `keys` holds no key
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
  // Validates the future ring, so that the operator never receives an entry that it rejects.
  createKeyring([entry, ...entries, ...(namesEntry === null ? [] : [namesEntry])])
  return { entry, id: ofNew, namesEntry, idsNow: now.keys.map((key) => key.id) }
}
