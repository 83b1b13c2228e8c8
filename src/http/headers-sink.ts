/** Turns Web `Headers` into a response sink, for the routes and for adapters of `Request`/`Response` frameworks. */
import type { ResponseSink } from './cookie.ts'

export interface HeadersSink extends ResponseSink {
  /** Puts the collected headers onto the response. The sink accepts no headers afterwards. */
  applyTo(headers: Headers): void
  /** Drops the collected headers, because a failed response must not hand out a ticket. */
  discard(): void
}

export function createHeadersSink(): HeadersSink {
  let collected = new Map<string, string | readonly string[]>()
  let isSent = false
  return {
    get headersSent() {
      return isSent
    },
    getHeader: (name) => collected.get(name.toLowerCase()),
    setHeader(name, value) {
      collected.set(name.toLowerCase(), value)
    },
    applyTo(headers) {
      isSent = true
      for (const [name, value] of collected) {
        if (typeof value === 'string') headers.set(name, value)
        else for (const line of value) headers.append(name, line)
      }
    },
    discard() {
      collected = new Map()
    },
  }
}
