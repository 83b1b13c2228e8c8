/** What one key is: family, type, life, size, whose it is, who reads it, which key of the ring sealed it. Never what it holds. */
import { type KeyName, keyNameReader } from '../redis/key-names.ts'
import { FAMILIES } from './key-families.ts'
import type { SealedGround } from './sealed-values.ts'
import { sealedValuesOf } from './sealed-values.ts'
import { leftoversOf, type LeftoverGround, type LeftoverKind } from './leftovers.ts'
import { askFor } from './walk.ts'

/** What a key in Redis is and whose it is. Never what it holds. */
export interface KeyExplanation {
  /** Name of the key. */
  readonly key: string
  /** `null`: none of ours. */
  readonly family: string | null
  /** What the key holds; `null` for a key that is not ours. */
  readonly what: string | null
  /** What reads the key; `null` for a key that is not ours. */
  readonly readBy: string | null
  /** Hash of the user id in the name; `null` when the name has none. */
  readonly userKey: string | null
  /** Id of the session in the name; `null` when the name has none. */
  readonly sessionId: string | null
  /** Whether the key exists now. */
  readonly exists: boolean
  /** As `TYPE` says: `string`, `hash`, `zset`; `none` when there is no such key. */
  readonly type: string
  /** `null`: it does not end. */
  readonly lifeMs: number | null
  /** Bytes of a string, fields of a hash, members of a set. */
  readonly size: number
  /** What it costs, as Redis accounts for it. */
  readonly bytes: number
  /** Which keys of the ring sealed what is in it. */
  readonly sealedBy: readonly string[]
  /** Kinds of orphans that the key belongs to; empty when it is in use. */
  readonly leftovers: readonly LeftoverKind[]
}

const SIZES: Readonly<Record<string, string>> = {
  string: 'STRLEN',
  hash: 'HLEN',
  zset: 'ZCARD',
  set: 'SCARD',
  list: 'LLEN',
  stream: 'XLEN',
}

/** @throws {RedisError} */
export async function explainKey(ground: SealedGround & LeftoverGround, key: string): Promise<KeyExplanation> {
  const { server, prefix } = ground
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
  const sealed = exists && name ? await sealedValuesOf(ground, name) : []
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
    leftovers: exists && name ? (await leftoversOf(ground, name)).map(({ kind }) => kind) : [],
  }
}

function sessionIdOf(name: KeyName | null): string | null {
  return name === null || name.id === '' ? null : `${name.userKey}.${name.id}`
}
