/** Reports connection changes to listeners. It reports each change once, however many attempts fail in the same way. */
import type { EventMap } from '../core/event-map.ts'
import type { EventBus } from '../core/events.ts'

export class StatusLog {
  readonly #events: EventBus
  #last = ''

  constructor(events: EventBus) {
    this.#events = events
  }

  /** @param code why the connection cannot be used; a new code counts as a change */
  report(status: EventMap['redis.status']['status'], server: string, code?: string): void {
    const change = `${status} ${code ?? ''}`
    if (change === this.#last) return
    this.#last = change
    this.#events.emit('redis.status', { status, server, ...(code !== undefined && { code }) })
  }
}
