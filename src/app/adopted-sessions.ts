/**
 * Attaches the bridges of one instance. A bridge is attached before any store is open, so that it can refuse a forged cookie without one. The
 * first verified cookie opens the parts of the store that the bridge needs.
 */
import type { ResolvedConfig } from '../config/types.ts'
import { systemClock } from '../core/clock.ts'
import type { MigrationOutcome } from '../core/event-map.ts'
import type { EventBus } from '../core/events.ts'
import { systemRandom } from '../core/random.ts'
import { adoptedLogouts } from './adopted-logouts.ts'
import { assertMigrationSettings } from './migration-settings.ts'
import type { SharedRuntime } from './shared-runtime.ts'
import { countReads } from './drop-in-origin.ts'
import type { AttachedBridge, BridgeContext, BridgeStores, CookieBridge } from '../migrate/cookie-bridge.ts'
import type { MigrationMode } from '../migrate/migration-mode.ts'
import type { OldRecordDriver } from '../migrate/old-record-driver.ts'
import type { ProviderLogout } from '../oidc/provider-logout.ts'
import type { SessionStore } from '../session/types.ts'
import type { Store, StoreFactory } from '../stores/store.ts'

/** Outcomes that prove an old session. Any client can send a forged cookie, or an id without a session. */
const PROVEN: ReadonlySet<MigrationOutcome> = new Set(['adopted', 'moved', 'ended', 'no_expiry'])

/** The opened parts of the instance that bridges use. */
export interface BridgeShelf {
  readonly stores: BridgeStores
  oldRecords(store: StoreFactory | undefined, mode: MigrationMode): Promise<OldRecordDriver>
  /** Adds the sessions of a bridge to the counts that all processes share, from now on. A second call does nothing. */
  count(bridge: CookieBridge): Promise<void>
  /** Reports the last counts, and closes the stores of old records that bridges have opened. */
  close(): Promise<void>
}

export interface BridgeAttachments {
  /** Connects a bridge. Returns the same result for the same bridge, because all adapters share its memory. */
  attach(bridge: CookieBridge): AttachedBridge
  /** Called before all sessions of a user end. One bridge writes the mark for all, because they share the store. */
  revoking(userKey: string): Promise<unknown>
  /** Returns whether the instance has a bridge. */
  isAdopting(): boolean
}

export function bridgeAttachments(
  use: <T>(run: (shelf: BridgeShelf) => Promise<T>) => Promise<T>,
  events: EventBus,
): BridgeAttachments {
  const attached = new WeakMap<CookieBridge, AttachedBridge>()
  let latest: AttachedBridge | null = null
  const contextOf = (bridge: CookieBridge): BridgeContext => ({
    ...{ clock: systemClock, events },
    open: () =>
      use(async ({ stores, count }) => {
        await count(bridge)
        return stores
      }),
    oldRecords: (factory) => use(({ oldRecords }) => oldRecords(factory, bridge.mode)),
  })
  return {
    attach(bridge) {
      const known = attached.get(bridge)
      if (known) return known
      const made = bridge.attach(contextOf(bridge))
      attached.set(bridge, made)
      return (latest = made)
    },
    revoking: async (userKey) => latest?.revoking(userKey),
    isAdopting: () => latest !== null,
  }
}

export function openBridgeShelf<D extends object>(
  config: ResolvedConfig<D>,
  runtime: SharedRuntime,
  sessions: Pick<SessionStore<D>, 'revoke'>,
  logout: Pick<ProviderLogout, 'register'>,
  events: EventBus,
): BridgeShelf {
  const { keyring, seal, store } = runtime
  const shared = { keyring, seal, namespace: config.prefix, events }
  const opened = new Map<StoreFactory, Store>()
  const counted = new Map<string, Promise<void>>()
  const closing: (() => Promise<void>)[] = []
  return {
    stores: {
      documents: { ...shared, driver: store.documents },
      planned: {
        ...{ ...shared, driver: store.sessions, config: config.session, memory: runtime.memory },
        ...{ clock: systemClock, random: systemRandom },
      },
      closing: (end) => void closing.push(end),
      revoke: (sessionId, reason) => sessions.revoke(sessionId, reason),
      register: adoptedLogouts(logout, systemClock),
    },
    async oldRecords(factory, mode) {
      if (!factory) return store.oldRecords()
      assertMigrationSettings(config, runtime, { mode, store: factory })
      const known =
        opened.get(factory) ?? factory.open({ prefix: '', clock: systemClock, events, loopback: config.loopback })
      opened.set(factory, known)
      return known.oldRecords()
    },
    count({ origin, mode }) {
      const started =
        counted.get(origin) ??
        countReads({ name: origin, mode, outcomes: PROVEN }, runtime, config, events, (end) => void closing.push(end))
      counted.set(origin, started)
      started.catch(() => counted.delete(origin))
      return started
    },
    async close() {
      await Promise.allSettled([...counted.values()])
      await Promise.all(closing.map((end) => end()))
      await Promise.all([...opened.values()].map((one) => one.close()))
    },
  }
}
