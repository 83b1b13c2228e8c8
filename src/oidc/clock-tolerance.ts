/** How far the clocks of a provider and of this server may differ: one value for ID tokens and logout tokens. */
import type { ResolvedProvider } from '../config/types.ts'

const DEFAULT_CLOCK_TOLERANCE_SECONDS = 60

export function toleranceOf({ clockToleranceSeconds }: ResolvedProvider): number {
  return clockToleranceSeconds ?? DEFAULT_CLOCK_TOLERANCE_SECONDS
}
