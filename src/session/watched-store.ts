/** Wraps the writes of a session store in promises that report a failure when the caller does not await them. */
import type { SessionStore } from './types.ts'
import type { SessionCore } from './session-core.ts'

export function watchedStore<D extends object>(
  store: SessionStore<D>,
  { watched }: Pick<SessionCore<D>, 'watched'>,
): SessionStore<D> {
  return {
    ...store,
    create: (...input) => watched('sessions.create', store.create(...input)),
    update: (...input) => watched('sessions.update', store.update(...input)),
    rotate: (...input) => watched('sessions.rotate', store.rotate(...input)),
    signIn: (...input) => watched('sessions.signIn', store.signIn(...input)),
    revoke: (...input) => watched('sessions.revoke', store.revoke(...input)),
    revokeByUser: (...input) => watched('sessions.revokeByUser', store.revokeByUser(...input)),
  }
}
