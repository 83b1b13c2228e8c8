/** Creates the parts that a drop-in gives to the origin of its option `migrateFrom`. It loads `src/migrate/` only for a drop-in with an origin. */
import type { ResolvedConfig } from '../config/types.ts'
import { systemClock } from '../core/clock.ts'
import type { EventBus, Events } from '../core/events.ts'
import type { Keyring } from '../keyring/keyring.ts'
import { assertMigrationSettings } from './migration-settings.ts'
import type { SharedRuntime } from './shared-runtime.ts'
import type { Closing } from './drop-in-runtime.ts'
import type { Origin, OriginDeps } from '../migrate/origin.ts'
import type { CountedOrigin } from '../migrate/read-counter.ts'

/** Events of drop-ins whose reads do not come from requests. */
const uncounted = new WeakSet<Events>()

/** Excludes the reads of a drop-in from the counts. Must be called before the drop-in opens. */
export function leaveUncounted(events: Events): void {
  uncounted.add(events)
}

/**
 * Opens the server of the old keys: the one of the origin, otherwise the one of the drop-in.
 * @param closing registers a function that runs when the drop-in closes
 */
export async function originDeps(
  origin: Origin,
  runtime: SharedRuntime,
  config: ResolvedConfig<object>,
  events: EventBus,
  closing: Closing,
): Promise<OriginDeps> {
  const { store } = runtime
  const { prefix, loopback } = config
  await countReads(origin, runtime, config, events, closing)
  const other = origin.store?.open({ prefix, loopback, clock: systemClock, events })
  if (other) closing(() => other.close())
  const { placeOf } = await import('../migrate/old-place.ts')
  return {
    old: await (other ?? store).oldRecords(),
    place: placeOf(store, other ?? null),
    clock: systemClock,
    events,
    closing,
  }
}

/**
 * Adds the reads of an origin to the counts that all processes share. Refuses settings with which a migration would lose records.
 * @param closing registers the last report, which runs when the drop-in closes
 * @throws {ConfigError} as `assertMigrationSettings`
 */
export async function countReads(
  origin: Pick<Origin, 'name' | 'mode' | 'keys' | 'store'> & Pick<CountedOrigin, 'outcomes' | 'variants'>,
  runtime: Pick<SharedRuntime, 'store' | 'isLocal' | 'keyring'>,
  config: Pick<ResolvedConfig<object>, 'keys'>,
  events: EventBus,
  closing: Closing,
): Promise<void> {
  if (uncounted.has(events)) return
  assertMigrationSettings(config, runtime, origin)
  const { name, mode, keys, outcomes, variants } = origin
  const { startReadCounter } = await import('../migrate/read-counter.ts')
  const isTelling = keys !== undefined && keys.prefix !== '' && keys.sharesPrefix !== true
  const keyPrefix = isTelling ? keys.prefix : null
  const counter = startReadCounter(
    {
      name,
      mode,
      keyPrefix,
      keyTags: keyTagsOf(runtime.keyring),
      ...(outcomes && { outcomes }),
      ...(variants && { variants }),
    },
    events,
    () => runtime.store.migrationReads(),
  )
  closing(() => counter.close())
}

/** Returns the tags of all keys of the ring, the one that seals first. */
function keyTagsOf({ keys }: Keyring): readonly string[] {
  return keys.map(({ tag }) => tag.toString('hex'))
}
