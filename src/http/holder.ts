/**
 * The holder of a session: what an adapter puts on each request under a name that the application chose. Assigning to it or
 * in its place throws a misuse error, in sloppy mode too, because nothing that is assigned there would ever be stored.
 */
import { MisuseError } from '../core/errors.ts'
import { safeText } from '../core/redact.ts'
import type { RequestSession } from './request-session.ts'

export interface Holders<D extends object> {
  /** The session side of one request, read-only. The same exchange has the same holder. */
  of(requestSession: RequestSession<D>): RequestSession<D>
  /** For an assignment in place of the holder. */
  refusal(): MisuseError
}

/** @param place how handlers reach the holder, e.g. `request.auth`; stands in messages */
export function createHolders<D extends object>(place: string): Holders<D> {
  const made = new WeakMap<RequestSession<D>, RequestSession<D>>()
  const refusal = (where: string): MisuseError =>
    new MisuseError(
      'COATCHECK_SESSION_READ_ONLY',
      `Cannot assign to ${where}: Coatcheck put it there, and a value that is assigned is never stored. To store a value, use session.set().`,
      {
        fix: `Get the session, then store the value: const session = await ${place}.getSession(); await session.set('theme', 'dark').`,
      },
    )
  // The end of the prototype chain: only names that do not exist get here, and reads of what exists never do.
  const end = new Proxy(Object.prototype, {
    set(target, key, value, receiver) {
      // Symbols are marks of tools, never data that an application means to store.
      if (typeof key === 'symbol') return Reflect.set(target, key, value, receiver)
      throw refusal(`"${safeText(key, 60)}" of ${place}`)
    },
  })
  return {
    of(requestSession) {
      const known = made.get(requestSession)
      if (known) return known
      const holder = Object.create(end, Object.getOwnPropertyDescriptors(requestSession)) as RequestSession<D>
      made.set(requestSession, holder)
      return holder
    },
    refusal: () => refusal(place),
  }
}

/** For hosts whose requests are plain objects. A second middleware may define it again. */
export function putHolder(request: object, property: string, holder: object, refusal: () => MisuseError): void {
  Object.defineProperty(request, property, {
    configurable: true,
    enumerable: true,
    get: () => holder,
    set() {
      throw refusal()
    },
  })
}
