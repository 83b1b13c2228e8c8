/** Reports session operations to traces while they run. Without listeners, the cost is one boolean check per operation. */
import type { SessionCore } from './session-core.ts'
import { sessionIdOf } from './ticket.ts'

export function observedCore<D extends object>(core: SessionCore<D>): SessionCore<D> {
  const { events } = core.deps
  return {
    ...core,
    find: (ticket) =>
      events.isObserved
        ? events.operation(
            {
              name: 'session.find',
              facts: {},
              outcome: (found) =>
                typeof found === 'string'
                  ? { outcome: found }
                  : { outcome: 'found', sessionId: sessionIdOf(found.parsed.ref) },
            },
            () => core.find(ticket),
          )
        : core.find(ticket),
    create: (...input) =>
      events.isObserved
        ? events.operation(
            { name: 'session.create', facts: {}, outcome: ({ loaded }) => ({ sessionId: sessionIdOf(loaded.ref) }) },
            () => core.create(...input),
          )
        : core.create(...input),
    commit: (from, secretHash, changes) =>
      events.isObserved
        ? events.operation({ name: 'session.update', facts: { sessionId: sessionIdOf(from.ref) } }, () =>
            core.commit(from, secretHash, changes),
          )
        : core.commit(from, secretHash, changes),
    rotate: (from, secretHash, immediate) =>
      events.isObserved
        ? events.operation({ name: 'session.rotate', facts: { sessionId: sessionIdOf(from.ref) } }, () =>
            core.rotate(from, secretHash, immediate),
          )
        : core.rotate(from, secretHash, immediate),
    end: (ref, ...how) =>
      events.isObserved
        ? events.operation({ name: 'session.end', facts: { sessionId: sessionIdOf(ref) } }, () => core.end(ref, ...how))
        : core.end(ref, ...how),
  }
}
