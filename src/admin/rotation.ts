/**
 * Putting everything that is stored under the first key of the ring, while the application runs. Safe with processes that have
 * the same ring, whatever they do meanwhile: a value is replaced only over the very one that was read, in one step, and keeps
 * content, length, life and nonce, so that no change that is under way notices (`Seal.reseal`).
 *
 * It keeps no notes: what is under the first key is done, so a rotation that was interrupted, however hard, goes on where it was
 * when it is run again. It walks until a walk has found nothing left: values may move to keys that are seen too late (grants
 * of a sign-in that ends).
 */
import type { Seal } from '../keyring/seal.ts'
import { keyNameReader, type KeyName } from '../redis/key-names.ts'
import { RESEAL_FIELDS, RESEAL_RECORD } from '../redis/scripts/rotation.ts'
import { FAMILIES } from './key-families.ts'
import { type SealedGround, sealedValuesOf, type SealedValue } from './sealed-values.ts'
import { ADMIN_DEADLINE_MS, askFor, walkKeys, type WalkGround, type WalkOptions } from './walk.ts'

/** How many values are sealed with one key. */
export interface KeyUse {
  /** As in `COATCHECK_KEYS`, or made of the key where that names none. */
  readonly keyId: string
  /** Whether new values are sealed with this key. */
  readonly isCurrent: boolean
  /** Whether `COATCHECK_KEYS` names this key. Values of a missing key cannot be read. */
  readonly isInRing: boolean
  /** Values that are sealed with this key. */
  readonly values: number
  /** By the names of `keys scan`. */
  readonly families: { readonly [family: string]: number }
}

/** What `rotateKeys()` has done. */
export interface RotationReport {
  /** One per key of the ring, then those that it does not have. As the last walk found it; what was resealed counts as such. */
  readonly keys: readonly KeyUse[]
  /** Values that were sealed again with the current key. */
  readonly resealed: number
  /** Changed or gone between reading and writing: whoever changed it has sealed it anew. */
  readonly overtaken: number
  /** Do not open under the key that they name. Nobody can read them, and they stay as they are. */
  readonly unreadable: number
  /** Scans over all keys. */
  readonly walks: number
  /** Keys that were looked at. */
  readonly scanned: number
  /** Nothing that can be put under the first key lies under another one. Sign-ins under way count for nothing: see `signIns`. */
  readonly isDone: boolean
  /** Sign-ins under way under another key: they end within ten minutes. */
  readonly signIns: number
}

/** Options of `rotateKeys()`. */
export interface RotationOptions extends Pick<WalkOptions, 'signal'> {
  /** Only counts. */
  readonly dryRun?: boolean
  /** Called with the progress of the scan. */
  readonly seen?: (progress: RotationProgress) => void
}

export interface RotationProgress {
  readonly walk: number
  readonly scanned: number
  readonly total: number
  readonly resealed: number
}

export type RotationGround = WalkGround & SealedGround & { readonly seal: Seal }

/** A walk that finds nothing is the last one. More than a few mean that somebody seals with an old key: a process with another ring. */
const WALKS = 5
const AT_ONCE = 10

/** @throws {RedisError} what was done until then is done */
export async function rotateKeys(ground: RotationGround, options: RotationOptions): Promise<RotationReport> {
  const { signal, dryRun = false, seen } = options
  let resealed = 0
  let overtaken = 0
  for (let walk = 1; ; walk++) {
    const found = new Found(ground)
    const read = keyNameReader(ground.prefix)
    const rotated = async (name: KeyName): Promise<void> => {
      const values = await sealedValuesOf(ground, name)
      const old = values.filter((value) => found.isOld(value))
      const outcome = dryRun || old.length === 0 ? NOTHING : await resealAll(ground, name, old)
      resealed += outcome.resealed
      overtaken += outcome.overtaken
      found.add(values, outcome)
    }
    const progress = ({ scanned, total }: { scanned: number; total: number }): void =>
      seen?.({ walk, scanned, total, resealed })
    for await (const step of walkKeys(ground, { signal, seen: progress })) {
      found.scanned += step.length
      const names = step.map(read).filter((name) => name !== null)
      for (let at = 0; at < names.length; at += AT_ONCE) await Promise.all(names.slice(at, at + AT_ONCE).map(rotated))
    }
    // Whatever was under another key when this walk came by may have been copied to a place where it had been before.
    const isClean = found.seenOld === 0
    if (isClean || dryRun || signal.aborted || walk === WALKS) {
      return { ...found.report(), resealed, overtaken, walks: walk, isDone: found.left === 0 && !signal.aborted }
    }
  }
}

interface Resealed {
  readonly resealed: number
  readonly overtaken: number
  readonly unreadable: ReadonlySet<SealedValue>
}

const NOTHING: Resealed = { resealed: 0, overtaken: 0, unreadable: new Set() }

/** All old values of one key in one step. */
async function resealAll(ground: RotationGround, name: KeyName, old: readonly SealedValue[]): Promise<Resealed> {
  const { server, seal } = ground
  const records = await readAll(ground, name, old)
  const unreadable = new Set<SealedValue>()
  const pairs: [SealedValue, Buffer][] = []
  for (const [i, value] of old.entries()) {
    const record = records[i]
    if (!record || value.address === null) continue
    const fresh = seal.reseal(record, value.address, value.headroom)
    if (typeof fresh === 'string') unreadable.add(value)
    else pairs.push([value, fresh])
  }
  const [first] = pairs
  if (first === undefined) return { ...NOTHING, unreadable }
  const [script, args] =
    first[0].field === null
      ? [RESEAL_RECORD, [String(first[0].headroom), first[1]]]
      : [RESEAL_FIELDS, pairs.flatMap(([{ field }, fresh]) => [field ?? '', fresh])]
  // Without a deadline for the server: it does no harm however late it comes.
  const reply = await server.client.script(script, [name.key], ['0', '0', ...args], { deadlineMs: ADMIN_DEADLINE_MS })
  const [resealed = 0] = reply as readonly number[]
  return { resealed, overtaken: pairs.length - resealed, unreadable }
}

async function readAll(
  { server }: RotationGround,
  { key }: KeyName,
  old: readonly SealedValue[],
): Promise<readonly (Buffer | null)[]> {
  if (old[0]?.field === null) return [(await askFor(server, key, ['GET', key])) as Buffer | null]
  return (await askFor(server, key, ['HMGET', key, ...old.map(({ field }) => field ?? '')])) as (Buffer | null)[]
}

/** What one walk has found, by key of the ring. */
class Found {
  scanned = 0
  /** Values under another key than the first that can be put under it, when this walk came by. */
  seenOld = 0
  /** Those that still are. */
  left = 0
  #unreadable = 0
  #signIns = 0
  readonly #keyring: RotationGround['keyring']
  readonly #uses = new Map<string, Map<string, number>>()

  constructor({ keyring }: RotationGround) {
    this.#keyring = keyring
    for (const { id } of keyring.keys) this.#uses.set(id, new Map())
  }

  /** A value of a key that the ring does not have opens for nobody. */
  isOld({ isCurrent, address, keyId }: SealedValue): boolean {
    return !isCurrent && address !== null && this.#isInRing(keyId)
  }

  add(values: readonly SealedValue[], { resealed, overtaken, unreadable }: Resealed): void {
    let moved = resealed + overtaken
    for (const value of values) {
      const { isCurrent, name, keyId } = value
      const isStuck = unreadable.has(value)
      const isMovable = this.isOld(value) && !isStuck
      if (isStuck) this.#unreadable++
      if (isMovable) this.seenOld++
      if (!isCurrent && name.family === 'signIn') this.#signIns++
      // Which of several were overtaken the server does not say; whoever overtook one has sealed it with the first key.
      const isMoved = isMovable && moved-- > 0
      if (isMovable && !isMoved) this.left++
      this.#count(isMoved ? this.#keyring.active.id : keyId, FAMILIES[name.family].name)
    }
    this.left += overtaken
  }

  report(): Pick<RotationReport, 'keys' | 'unreadable' | 'signIns' | 'scanned'> {
    const keys = [...this.#uses].map(([keyId, families]) => ({
      keyId,
      isCurrent: keyId === this.#keyring.active.id,
      isInRing: this.#isInRing(keyId),
      values: [...families.values()].reduce((sum, count) => sum + count, 0),
      families: Object.fromEntries(families),
    }))
    return { keys, unreadable: this.#unreadable, signIns: this.#signIns, scanned: this.scanned }
  }

  #isInRing(keyId: string): boolean {
    return this.#keyring.keys.some(({ id }) => id === keyId)
  }

  #count(keyId: string, family: string): void {
    const families = this.#uses.get(keyId) ?? new Map<string, number>()
    this.#uses.set(keyId, families.set(family, (families.get(family) ?? 0) + 1))
  }
}
