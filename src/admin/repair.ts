/** Removes orphans. Each one is found first, and then removed in a step that checks it again. */
import { keyNameReader, type KeyName } from '../stores/key-names.ts'
import { type OrphanContext, type OrphanKind, ORPHANS, orphansOf, removeOrphan } from './orphans.ts'
import { scanKeys, type ScanContext, type ScanOptions } from './scan.ts'

/** The result of `repairKeys()`. */
export interface RepairReport {
  /** Number of keys that were examined. */
  readonly scanned: number
  /** Number of orphans that were found, by kind. */
  readonly found: { readonly [Kind in OrphanKind]: number }
  /** Number of orphans that were removed, by kind. Fewer than found: another process removed them, or they are in use again. */
  readonly removed: { readonly [Kind in OrphanKind]: number }
}

/** Options of `repairKeys()`. */
export interface RepairOptions extends Pick<ScanOptions, 'signal' | 'seen'> {
  /** Whether to find only, and to remove nothing. Default false. */
  readonly dryRun?: boolean
}

const AT_ONCE = 25

type Context = ScanContext & OrphanContext & { readonly prefix: string }

/**
 * Finds and removes orphans: keys and entries that no session needs any more. Scans all keys. Each orphan is removed in one atomic
 * step, which checks again that it is one.
 * @throws {RedisError} during an outage. Orphans that were removed stay so.
 */
export async function repairKeys(
  context: Context,
  { signal, seen, dryRun = false }: RepairOptions,
): Promise<RepairReport> {
  const read = keyNameReader(context.prefix)
  const found = none()
  const removed = none()
  let scanned = 0
  const repair = async (name: KeyName): Promise<void> => {
    for (const orphan of await orphansOf(context, name)) {
      found[orphan.kind]++
      if (!dryRun && (await removeOrphan(context, orphan))) removed[orphan.kind]++
    }
  }
  for await (const step of scanKeys(context, { signal, ...(seen && { seen }) })) {
    scanned += step.length
    const names = step.map(read).filter((name) => name !== null)
    for (let at = 0; at < names.length; at += AT_ONCE) await Promise.all(names.slice(at, at + AT_ONCE).map(repair))
  }
  return { scanned, found, removed }
}

function none(): Record<OrphanKind, number> {
  return Object.fromEntries(Object.keys(ORPHANS).map((kind) => [kind, 0])) as Record<OrphanKind, number>
}
