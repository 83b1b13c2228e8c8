/**
 * Lowers the priority of this process for a long run over all keys. On a machine that it shares with the application or with Redis, those
 * get the processor first. Measured with `bench/migrate.mjs` on two cores: without it, the p99 of another client's commands was two to
 * three times as high.
 */
import { constants, setPriority } from 'node:os'

export function lowerPriority(): void {
  try {
    setPriority(constants.priority.PRIORITY_BELOW_NORMAL)
  } catch {
    // A sandbox may forbid it. The run is correct without it.
  }
}
