/**
 * Re-encrypts all stored values with the first key of the ring, while the application runs. All processes of the application must have the
 * same ring. Each value is replaced in one step, only over the very value that was read. It keeps content, length, TTL and nonce, so that
 * concurrent changes are not disturbed (`Seal.reencrypt`).
 *
 * It stores no progress: a value under the first key is done. So an interrupted run continues when it is run again, however it ended. It
 * repeats the scan until a scan finds nothing left, because values may move to keys that the scan has already passed (grants of a sign-in
 * that ends).
 */
import type { Seal } from '../keyring/seal.ts'
import { keyNameReader, type KeyName } from '../stores/key-names.ts'
import { REENCRYPT_FIELDS, REENCRYPT_RECORD } from '../stores/redis/scripts/rotation.ts'
import { FAMILIES } from './key-families.ts'
import { type SealedContext, sealedValuesOf, type SealedValue } from './sealed-values.ts'
import { ADMIN_DEADLINE_MS, askFor, scanKeys, type ScanContext, type ScanOptions } from './scan.ts'

/** How many stored values one encryption key seals. */
export interface KeyUse {
  /** Id of the key in `COATCHECK_KEYS`. For a key without an id: one derived from the key. */
  readonly keyId: string
  /** Whether this is the first key of `COATCHECK_KEYS`, which seals new values. */
  readonly isCurrent: boolean
  /** Whether `COATCHECK_KEYS` holds this key. Values of a missing key cannot be read. */
  readonly isInRing: boolean
  /** Number of values that this key seals. */
  readonly values: number
  /** Number of values by key family, named as in `coatcheck keys scan`. */
  readonly families: { readonly [family: string]: number }
}

/** The result of `rotateKeys()`. */
export interface RotationReport {
  /** The use of each key after the last scan: the keys of `COATCHECK_KEYS` in their order, then unknown keys. */
  readonly keys: readonly KeyUse[]
  /** Number of values that were re-encrypted with the first key. */
  readonly reencrypted: number
  /** Number of values that another process changed or deleted between reading and writing. The change has sealed them anew. */
  readonly overtaken: number
  /** Number of values that do not open with the key that they name. They stay as they are. */
  readonly unreadable: number
  /** Number of scans over all keys, at most 5. */
  readonly scans: number
  /** Number of keys in the last scan. */
  readonly scanned: number
  /** Whether every readable value is sealed with the first key. False after an abort: run it again to continue. */
  readonly isDone: boolean
}

/** Options of `rotateKeys()`. */
export interface RotationOptions extends Pick<ScanOptions, 'signal'> {
  /** Whether to count only, and to write nothing. Default false. */
  readonly dryRun?: boolean
  /** Called after each step of the scan. */
  readonly seen?: (progress: RotationProgress) => void
}

export interface RotationProgress {
  readonly scan: number
  readonly scanned: number
  readonly total: number
  readonly reencrypted: number
}

export type RotationContext = ScanContext & SealedContext & { readonly seal: Seal }

/** The last scan is the one that finds nothing left. More than a few scans mean that a process with another ring seals with an old key. */
const MAX_SCANS = 5
const AT_ONCE = 10

/**
 * Re-encrypts every stored value with the first key of `COATCHECK_KEYS`, while the application runs. Each value is replaced in one atomic
 * step, only over the value that was read. Content and TTL stay the same. An interrupted run continues when it is run again. No ticket and
 * no session changes.
 * @param context the result of `openAdmin()`
 * @throws {RedisError} during an outage. Values that were re-encrypted stay so.
 */
export async function rotateKeys(context: RotationContext, options: RotationOptions): Promise<RotationReport> {
  const { signal, dryRun = false, seen } = options
  let reencrypted = 0
  let overtaken = 0
  for (let scan = 1; ; scan++) {
    const found = new Found(context)
    const read = keyNameReader(context.prefix)
    const rotated = async (name: KeyName): Promise<void> => {
      const values = await sealedValuesOf(context, name)
      const old = values.filter((value) => found.isOld(value))
      const outcome = dryRun || old.length === 0 ? NOTHING : await reencryptAll(context, name, old)
      reencrypted += outcome.reencrypted
      overtaken += outcome.overtaken
      found.add(values, outcome)
    }
    const progress = ({ scanned, total }: { scanned: number; total: number }): void =>
      seen?.({ scan, scanned, total, reencrypted })
    for await (const step of scanKeys(context, { signal, seen: progress })) {
      found.scanned += step.length
      const names = step.map(read).filter((name) => name !== null)
      for (let at = 0; at < names.length; at += AT_ONCE) await Promise.all(names.slice(at, at + AT_ONCE).map(rotated))
    }
    // A value that this scan found sealed with an older key may meanwhile stand under a name that the scan had already passed.
    const isClean = found.seenOld === 0
    if (isClean || dryRun || signal.aborted || scan === MAX_SCANS) {
      return { ...found.report(), reencrypted, overtaken, scans: scan, isDone: found.left === 0 && !signal.aborted }
    }
  }
}

interface Reencrypted {
  readonly reencrypted: number
  readonly overtaken: number
  readonly unreadable: ReadonlySet<SealedValue>
}

const NOTHING: Reencrypted = { reencrypted: 0, overtaken: 0, unreadable: new Set() }

/** Re-encrypts all old values of one key in one step. */
async function reencryptAll(
  context: RotationContext,
  name: KeyName,
  old: readonly SealedValue[],
): Promise<Reencrypted> {
  const { server, seal } = context
  const records = await readAll(context, name, old)
  const unreadable = new Set<SealedValue>()
  const pairs: [SealedValue, Buffer][] = []
  for (const [i, value] of old.entries()) {
    const record = records[i]
    if (!record || value.address === null) continue
    const fresh = seal.reencrypt(record, value.address, value.headroom)
    if (typeof fresh === 'string') unreadable.add(value)
    else pairs.push([value, fresh])
  }
  const [first] = pairs
  if (first === undefined) return { ...NOTHING, unreadable }
  const [script, args] =
    first[0].field === null
      ? [REENCRYPT_RECORD, [String(first[0].headroom), first[1]]]
      : [REENCRYPT_FIELDS, pairs.flatMap(([{ field }, fresh]) => [field ?? '', fresh])]
  // No deadline on the server, because a late execution does no harm.
  const reply = await server.client.script(script, [name.key], ['0', '0', ...args], { deadlineMs: ADMIN_DEADLINE_MS })
  const [reencrypted = 0] = reply as readonly number[]
  return { reencrypted, overtaken: pairs.length - reencrypted, unreadable }
}

async function readAll(
  { server }: RotationContext,
  { key }: KeyName,
  old: readonly SealedValue[],
): Promise<readonly (Buffer | null)[]> {
  if (old[0]?.field === null) return [(await askFor(server, key, ['GET', key])) as Buffer | null]
  return (await askFor(server, key, ['HMGET', key, ...old.map(({ field }) => field ?? '')])) as (Buffer | null)[]
}

/** The results of one scan, by key of the ring. */
class Found {
  scanned = 0
  /** Values that this scan read under another key than the first, and that can be re-encrypted. */
  seenOld = 0
  /** Values that are still under another key. */
  left = 0
  #unreadable = 0
  readonly #keyring: RotationContext['keyring']
  readonly #uses = new Map<string, Map<string, number>>()

  constructor({ keyring }: RotationContext) {
    this.#keyring = keyring
    for (const { id } of keyring.keys) this.#uses.set(id, new Map())
  }

  /** No process can open a value whose key is missing in the ring. */
  isOld({ isCurrent, address, keyId }: SealedValue): boolean {
    return !isCurrent && address !== null && this.#isInRing(keyId)
  }

  add(values: readonly SealedValue[], { reencrypted, overtaken, unreadable }: Reencrypted): void {
    let moved = reencrypted + overtaken
    for (const value of values) {
      const { name, keyId } = value
      const isStuck = unreadable.has(value)
      const isMovable = this.isOld(value) && !isStuck
      if (isStuck) this.#unreadable++
      if (isMovable) this.seenOld++
      // Overtaken: the application changed the value first, and sealed it with the first key. The server does not say which of several
      // values were overtaken, so these are counted as left: the next scan finds out.
      const isMoved = isMovable && moved-- > 0
      if (isMovable && !isMoved) this.left++
      this.#count(isMoved ? this.#keyring.active.id : keyId, FAMILIES[name.family].name)
    }
    this.left += overtaken
  }

  report(): Pick<RotationReport, 'keys' | 'unreadable' | 'scanned'> {
    const keys = [...this.#uses].map(([keyId, families]) => ({
      keyId,
      isCurrent: keyId === this.#keyring.active.id,
      isInRing: this.#isInRing(keyId),
      values: [...families.values()].reduce((sum, count) => sum + count, 0),
      families: Object.fromEntries(families),
    }))
    return { keys, unreadable: this.#unreadable, scanned: this.scanned }
  }

  #isInRing(keyId: string): boolean {
    return this.#keyring.keys.some(({ id }) => id === keyId)
  }

  #count(keyId: string, family: string): void {
    const families = this.#uses.get(keyId) ?? new Map<string, number>()
    this.#uses.set(keyId, families.set(family, (families.get(family) ?? 0) + 1))
  }
}
