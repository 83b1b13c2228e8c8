/** Commands over all keys give way to the application where both run on one machine: its processes get the processor first. */
import { constants, getPriority, setPriority } from 'node:os'

export function lowerPriority(): void {
  try {
    if (getPriority() < constants.priority.PRIORITY_BELOW_NORMAL) setPriority(constants.priority.PRIORITY_BELOW_NORMAL)
  } catch {
    // The platform refuses it, and the command then runs as it would have.
  }
}
