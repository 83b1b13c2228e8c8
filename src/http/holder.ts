/**
 * The holder of a session: the object that an adapter puts on each request under a name that the application chose. Assigning to the holder
 * or in its place throws a misuse error, in sloppy mode too, because an assigned value would never be stored.
 */
import { MisuseError } from '../core/errors.ts'
import { safeText } from '../core/redact.ts'
import type { RequestSession } from './request-session.ts'

export interface Holders<D extends object> {
  /** The session side of one request, read-only. The same request session has the same holder. */
  of(requestSession: RequestSession<D>): RequestSession<D>
  /** Error for an assignment in place of the holder. */
  refusal(): MisuseError
}

/** @param place how handlers reach the holder, e.g. `request.auth`; used in messages */
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
  // End of the prototype chain. Only assignments to new names and reads of missing names reach it.
  const end = new Proxy(Object.prototype, {
    set(target, key, value, receiver) {
      // Tools use symbols as marks. Applications do not store data under them.
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

/** For frameworks whose requests are plain objects. A second middleware may define the property again. */
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
