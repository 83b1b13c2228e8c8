/** Removing what was left behind: each thing is found first, and removed in a step that looks again. */
import { keyNameReader, type KeyName } from '../stores/key-names.ts'
import { type LeftoverGround, type LeftoverKind, LEFTOVERS, leftoversOf, removeLeftover } from './leftovers.ts'
import { walkKeys, type WalkGround, type WalkOptions } from './walk.ts'

/** The result of `repairKeys()`. */
export interface RepairReport {
  /** Number of keys that were examined. */
  readonly scanned: number
  /** Number of orphans that were found, by kind. */
  readonly found: { readonly [Kind in LeftoverKind]: number }
  /** Number of orphans that were removed, by kind. Fewer than found: another process removed them, or they are in use again. */
  readonly removed: { readonly [Kind in LeftoverKind]: number }
}

/** Options of `repairKeys()`. */
export interface RepairOptions extends Pick<WalkOptions, 'signal' | 'seen'> {
  /** Whether to find only, and to remove nothing. Default false. */
  readonly dryRun?: boolean
}

const AT_ONCE = 25

type Ground = WalkGround & LeftoverGround & { readonly prefix: string }

/**
 * Finds and removes orphans: keys and entries that no session needs any more. Scans all keys. Each orphan is removed in one atomic
 * step, which checks again that it is one.
 * @throws {RedisError} during an outage. Orphans that were removed stay so.
 */
export async function repairKeys(
  ground: Ground,
  { signal, seen, dryRun = false }: RepairOptions,
): Promise<RepairReport> {
  const read = keyNameReader(ground.prefix)
  const found = none()
  const removed = none()
  let scanned = 0
  const repair = async (name: KeyName): Promise<void> => {
    for (const leftover of await leftoversOf(ground, name)) {
      found[leftover.kind]++
      if (!dryRun && (await removeLeftover(ground, leftover))) removed[leftover.kind]++
    }
  }
  for await (const step of walkKeys(ground, { signal, ...(seen && { seen }) })) {
    scanned += step.length
    const names = step.map(read).filter((name) => name !== null)
    for (let at = 0; at < names.length; at += AT_ONCE) await Promise.all(names.slice(at, at + AT_ONCE).map(repair))
  }
  return { scanned, found, removed }
}

function none(): Record<LeftoverKind, number> {
  return Object.fromEntries(Object.keys(LEFTOVERS).map((kind) => [kind, 0])) as Record<LeftoverKind, number>
}
