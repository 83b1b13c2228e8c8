/** Explains one Redis key: family, type, TTL, size, user, and the encryption key that sealed it. Never its content. */
import { type KeyName, keyNameReader } from '../stores/key-names.ts'
import { FAMILIES } from './key-families.ts'
import type { SealedContext } from './sealed-values.ts'
import { sealedValuesOf } from './sealed-values.ts'
import { orphansOf, type OrphanContext, type OrphanKind } from './orphans.ts'
import { askFor } from './scan.ts'

/** What a Redis key is, and which user and session it belongs to. Never its content. */
export interface KeyExplanation {
  /** Name of the key. */
  readonly key: string
  /** Name of the key family, as in `coatcheck keys scan`. `null`: the key is not from Coatcheck, or has another prefix. */
  readonly family: string | null
  /** What keys of this family hold. `null`: no family. */
  readonly what: string | null
  /** Which operations read keys of this family. `null`: no family. */
  readonly readBy: string | null
  /** Hash of the user id in the name. `null`: the name has none. */
  readonly userKey: string | null
  /** Id of the session in the name. `null`: the name has none. */
  readonly sessionId: string | null
  /** Whether the key exists now. */
  readonly exists: boolean
  /** Answer of `TYPE`: `string`, `hash`, `zset`, … `none`: the key does not exist. */
  readonly type: string
  /** Remaining TTL, milliseconds. `null`: no TTL, or the key does not exist. */
  readonly lifeMs: number | null
  /** Size: bytes of a string, fields of a hash, members of a set, entries of a list or stream. 0: the key does not exist. */
  readonly size: number
  /** Memory of the key (`MEMORY USAGE`), bytes. 0: the key does not exist. */
  readonly bytes: number
  /** Ids of the encryption keys that sealed its content. Empty: nothing in it is sealed. */
  readonly sealedBy: readonly string[]
  /** Kinds of orphans that the key belongs to. Empty: it is in use. */
  readonly orphans: readonly OrphanKind[]
}

const SIZES: Readonly<Record<string, string>> = {
  string: 'STRLEN',
  hash: 'HLEN',
  zset: 'ZCARD',
  set: 'SCARD',
  list: 'LLEN',
  stream: 'XLEN',
}

/**
 * Explains one Redis key. Only reads, in several commands that are not atomic together.
 * @param context the result of `openAdmin()`
 * @param key full name of the key, prefix included
 * @throws {RedisError} during an outage; `COATCHECK_REDIS_NOPERM` without the right to a command
 */
export async function explainKey(context: SealedContext & OrphanContext, key: string): Promise<KeyExplanation> {
  const { server, prefix } = context
  const name = keyNameReader(prefix)(key)
  const type = String(await askFor(server, key, ['TYPE', key]))
  const exists = type !== 'none'
  const sizeCommand = SIZES[type]
  const [lifeMs, bytes, size] = await Promise.all([
    askFor(server, key, ['PTTL', key]),
    askFor(server, key, ['MEMORY', 'USAGE', key]),
    sizeCommand === undefined ? 0 : askFor(server, key, [sizeCommand, key]),
  ])
  const facts = name && FAMILIES[name.family]
  const sealed = exists && name ? await sealedValuesOf(context, name) : []
  return {
    key,
    family: facts?.name ?? null,
    what: facts?.what ?? null,
    readBy: facts?.readBy ?? null,
    userKey: name && name.userKey !== '' ? name.userKey : null,
    sessionId: sessionIdOf(name),
    exists,
    type,
    lifeMs: Number(lifeMs) < 0 ? null : Number(lifeMs),
    size: Number(size),
    bytes: Number(bytes ?? 0),
    sealedBy: [...new Set(sealed.map(({ keyId }) => keyId))],
    orphans: exists && name ? (await orphansOf(context, name)).map(({ kind }) => kind) : [],
  }
}

function sessionIdOf(name: KeyName | null): string | null {
  return name === null || name.id === '' ? null : `${name.userKey}.${name.id}`
}
