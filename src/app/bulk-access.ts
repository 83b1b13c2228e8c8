/**
 * How `coatcheck migrate` reaches a drop-in that a module of the application exports: its origin, the server of the old keys, and the
 * step that takes one record over. It hangs on the drop-in under a symbol that copies of this package share.
 */
import { systemClock } from '../core/clock.ts'
import { EventBus, type Events } from '../core/events.ts'
import { leaveUncounted } from './drop-in-origin.ts'
import type { OwnParts } from './migration-settings.ts'
import type { DropInRuntime } from './drop-in-runtime.ts'
import type { OldRecordDriver } from '../migrate/old-record-driver.ts'
import type { Origin } from '../migrate/origin.ts'
import { serverOf, type StoreServer } from '../stores/redis/operator-view.ts'

const BULK_ACCESS: unique symbol = Symbol.for('coatcheck.bulk-access') as never

/** The old records of one drop-in. */
export interface OldRecords {
  /** The servers of the old keys. `null`: they are in the memory of the process. */
  readonly server: StoreServer | null
  /** Reads and removes old records. */
  readonly records: OldRecordDriver
  /** Prefix of the keys of Coatcheck. */
  readonly ownPrefix: string
  /** Whether encryption keys are configured. False: the drop-in uses random keys, which no other process knows. */
  readonly hasKeys: boolean
  /** The store and the keys of the drop-in. */
  readonly own: OwnParts
  /** Closes the drop-in, and the store that was opened for the old keys. */
  close(): Promise<void>
}

/** The part of an origin that bulk commands need. */
export type BulkSource = Pick<Origin, 'name' | 'mode' | 'store' | 'keys'>

/** Gives operators access to a drop-in, so that they can take over the old records of its origin. */
export interface BulkAccess {
  /** `undefined`: the drop-in has no `migrateFrom`. */
  readonly origin: BulkSource | undefined
  /** Whether the drop-in knows the users of its sessions. `null`: its library names them itself. */
  readonly knowsUsers: boolean | null
  /** The events of the drop-in. */
  readonly events: Events
  /** Opens the drop-in. Its reads are not counted as requests. */
  open(): Promise<OldRecords>
  /**
   * Takes over one record, unless it was taken over before.
   * @param id as `OldKeys.idOf` names it
   * @returns whether the drop-in has a record of this id
   */
  adopt(id: string): Promise<boolean>
}

export function bulkAccess<T>(
  dropIn: DropInRuntime<T>,
  {
    origin,
    events,
    knowsUsers = null,
    adopt,
    closed,
  }: {
    readonly origin: BulkSource | undefined
    readonly events: EventBus
    readonly knowsUsers?: boolean | null
    readonly adopt: (made: T, id: string) => Promise<unknown>
    /** Closes resources that the drop-in runtime does not own. */
    readonly closed?: () => Promise<void> | undefined
  },
): BulkAccess {
  return {
    origin,
    events,
    knowsUsers,
    async open() {
      leaveUncounted(events)
      const { store, keyring, isLocal, prefix, loopback, hasKeys } = await dropIn.parts()
      const other = origin?.store?.open({ prefix, loopback, clock: systemClock, events: new EventBus() })
      const of = other ?? store
      await of.ready()
      return {
        server: serverOf(of),
        records: await of.oldRecords(),
        ownPrefix: prefix,
        hasKeys,
        own: { store, keyring, isLocal },
        async close() {
          await other?.close()
          await dropIn.close()
          await closed?.()
        },
      }
    },
    async adopt(id) {
      return ((await adopt(await dropIn.open(), id)) ?? null) !== null
    },
  }
}

/** Attaches the access to a drop-in, as a property that no loop over its properties finds. */
export function withBulkAccess<DropIn extends object>(dropIn: DropIn, access: BulkAccess): DropIn {
  return Object.defineProperty(dropIn, BULK_ACCESS, { value: access })
}

/** Returns the access of an exported value. `null`: the value is no drop-in. */
export function bulkAccessOf(value: unknown): BulkAccess | null {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return null
  return (value as { readonly [BULK_ACCESS]?: BulkAccess })[BULK_ACCESS] ?? null
}
