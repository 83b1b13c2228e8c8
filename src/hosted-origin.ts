/** What a drop-in hands to the origin of its option `migrateFrom`. Loaded by drop-ins; it loads nothing of `src/migrate/` by itself. */
import type { ResolvedConfig } from './config/types.ts'
import { systemClock } from './core/clock.ts'
import type { EventBus } from './core/events.ts'
import type { Foundation } from './foundation.ts'
import type { Closing } from './hosted.ts'
import type { Origin, OriginDeps } from './migrate/origin.ts'

/**
 * Opens the server of the old keys: that of the origin, else that of the drop-in.
 * @param closing gets what ends with the drop-in
 */
export async function originDeps(
  origin: Origin,
  { store }: Foundation,
  { prefix, loopback }: ResolvedConfig<object>,
  events: EventBus,
  closing: Closing,
): Promise<OriginDeps> {
  const other = origin.store?.open({ prefix, loopback, clock: systemClock, events })
  if (other) closing(() => other.close())
  return { old: await (other ?? store).oldRecords(), clock: systemClock, events, closing }
}
