/** Shared parts of the HTTP scenarios: their world, and a visitor that only keeps one cookie. */
import assert from 'node:assert/strict'
import type { Coatcheck } from '../../app/coatcheck.ts'
import type { EventMap } from '../../core/event-map.ts'
import type { EventName } from '../../core/events.ts'
import type { ScenarioData } from '../http-scenario-app.ts'
import { type RawRequest, type RawResponse, sendRaw } from '../raw-http.ts'

/** If a request has this header, code in front of the adapter sets `Cache-Control` and `CDN-Cache-Control` to its value. */
export const CACHE_BEFORE = 'x-scenario-cache-before'
/**
 * With this header, a listener that wrapped `writeHead` before the adapter saw the response sets `Cache-Control` to its value, and
 * `CDN-Cache-Control` too: `on-headers` works this way. Only in worlds whose adapter has the response of Node.
 */
export const CACHE_LAST = 'x-scenario-cache-last'

/** An application on the adapter under test: it serves `scenarioRoutes`, and the routes of `auth`. */
export interface HttpWorld {
  /** Origin of the application, e.g. `http://127.0.0.1:40001`. */
  readonly origin: string
  /** Uses a Redis store, one provider, an https base URL that is not `origin`, and the default timeouts. */
  readonly auth: Coatcheck<ScenarioData>
  /** Number of data commands that the store receives while `run` runs. */
  countCommands(run: () => Promise<unknown>): Promise<number>
  /** The store stays connected and answers nothing until `mendStore`. */
  breakStore(): Promise<void>
  /** Maximum response time while the store is broken, milliseconds. Default 400: the deadline of a read, two ticks, and the request. */
  readonly answerWithinMs?: number
  /** Ends the outage of the store. */
  mendStore(): Promise<void>
  /** Runs `run` at a later time, as the application sees it. */
  later(ms: number, run: () => Promise<void>): Promise<void>
}

export interface Visitor {
  /** The value of the ticket cookie, or `null`. A case may change it. */
  ticket: string | null
  send(target: string, options?: RawRequest): Promise<RawResponse>
  /** `GET /me` as JSON. */
  me(): Promise<{ id: string | null; user: { id: string } | null; data: Record<string, unknown> }>
}

export function visitor(world: HttpWorld, ticket: string | null = null): Visitor {
  const { name } = world.auth.http.config().cookie
  return {
    ticket,
    async send(target, options = {}) {
      const cookie: Record<string, string> = this.ticket === null ? {} : { cookie: `${name}=${this.ticket}` }
      const response = await sendRaw(world.origin, target, { ...options, headers: { ...cookie, ...options.headers } })
      for (const line of response.setCookies) {
        if (line.startsWith(`${name}=`)) this.ticket = line.slice(name.length + 1, line.indexOf(';')) || null
      }
      return response
    },
    async me() {
      const { status, body } = await this.send('/me')
      assert.equal(status, 200, body)
      return JSON.parse(body) as Awaited<ReturnType<Visitor['me']>>
    },
  }
}

let users = 0

/** A visitor who is signed in as a new, unique user. */
export async function signedIn(world: HttpWorld): Promise<Visitor & { readonly userId: string }> {
  const userId = `user-${++users}`
  const someone = visitor(world)
  const { status, body } = await someone.send(`/sign-in?user=${userId}`, { method: 'POST' })
  assert.equal(status, 200, body)
  assert.notEqual(someone.ticket, null)
  return Object.assign(someone, { userId })
}

export function assertNotStored({ headers }: RawResponse): void {
  assert.equal(headers.get('cache-control'), 'private, no-store')
  assert.match(headers.get('vary') ?? '', /\bcookie\b/i)
}

/** Names and `SameSite` are case-insensitive, and `Max-Age` wins over an `Expires` that a framework adds (RFC 6265bis, section 5.6). */
export function comparableAttributes(attributes: readonly string[]): string[] {
  return attributes
    .map((attribute) => attribute.toLowerCase())
    .filter((attribute) => !attribute.startsWith('expires='))
    .sort()
}

/** Resolves with the next event of this name. */
export function heard<Name extends EventName>(world: HttpWorld, name: Name): Promise<EventMap[Name]> {
  return new Promise((resolve) => {
    const stop = world.auth.events.on(name, (event) => {
      stop()
      resolve(event)
    })
  })
}
