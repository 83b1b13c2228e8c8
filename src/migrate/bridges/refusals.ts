/** Notices a bridge that refuses every old cookie, as one with a wrong secret does. Its users would silently be signed out. */
import type { EventBus } from '../../core/events.ts'

export interface Refusals {
  /** Called for a request whose old cookies were all refused. */
  refused(): void
  /** Called for a request with an old cookie that was verified. */
  accepted(): void
}

/** A few refusals are normal: cookies expire, and any client can send a forged one. */
const REFUSED_REQUESTS = 20

/** Emits `migration.all-refused` at most once. */
export function watchRefusals(origin: string, events: EventBus): Refusals {
  let count = 0
  let isDecided = false
  return {
    refused() {
      if (isDecided || ++count < REFUSED_REQUESTS) return
      isDecided = true
      events.emit('migration.all-refused', { origin, count })
    },
    accepted() {
      isDecided = true
    },
  }
}
