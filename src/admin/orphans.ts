/**
 * Finds orphans: keys and entries that no longer mean anything, or that no process reads. None of them does harm at once, and nearly all
 * expire by their TTL. Many of them show that keys were evicted or deleted by hand.
 *
 * These keys are not orphans, although they resemble them: entries of expired sessions (they distinguish "expired" from "revoked"), ended
 * markers, tokens of users without sessions (an application may have stored them without a sign-in), members of document sets without a
 * document (a member is added before its document is stored).
 */
import type { KeyName } from '../stores/key-names.ts'
import type { RedisScript } from '../redis/script.ts'
import { LIVE_IDS } from '../stores/redis/scripts/inspection.ts'
import { DROP_DEAD_RECORD, DROP_LOST_ENTRY, DROP_STRAY_INDEX, END_SOME_TIME } from '../stores/redis/scripts/repair.ts'
import { endedRememberedMs } from '../session/session-policy.ts'
import type { RevocationDriver } from '../token/revocation-driver.ts'
import type { StoreServer } from '../stores/redis/operator-view.ts'
import { statusOfRecord } from './session-status.ts'
import { ADMIN_DEADLINE_MS, askFor } from './scan.ts'

/** Every kind of orphan, with a description: keys and entries that no session needs any more. */
export const ORPHANS = {
  /** Session records of a generation that their user no longer has. */
  'dead-record': 'records of a generation that their user does not have any more',
  /** Index entries of live sessions whose record was evicted or deleted by hand. */
  'lost-entry': 'index entries of live sessions without a record: evicted, or deleted by hand',
  /** Indexes of users that have no generation. */
  'stray-index': 'indexes of users without a generation',
  /** Markers of ended sessions without a TTL. */
  'endless-marker': 'ended markers without a life',
  /** Outboxes of token revocations that the index of outboxes does not list. */
  'unseen-outbox': 'revocation outboxes that are in no index, so no process sends them',
} as const

/** Kind of orphan. */
export type OrphanKind = keyof typeof ORPHANS

export interface Orphan {
  readonly kind: OrphanKind
  readonly userKey: string
  /** Session id; empty for the other kinds. */
  readonly id: string
}

export interface OrphanContext {
  readonly server: StoreServer
  readonly store: { readonly revocations: Pick<RevocationDriver, 'announce'> }
}

/**
 * Returns the orphans of this key. Only reads.
 * @throws {RedisError}
 */
export async function orphansOf({ server }: OrphanContext, name: KeyName): Promise<readonly Orphan[]> {
  const { family, key, userKey, id } = name
  const one = (kind: OrphanKind, isLeft: boolean): Orphan[] => (isLeft ? [{ kind, userKey, id }] : [])
  switch (family) {
    case 'session':
      return one('dead-record', (await statusOfRecord(server, name)).state === 'dead')
    case 'generation':
      return lostEntries(server, userKey)
    case 'sessions': {
      const generation = server.keys.generation(userKey)
      return one('stray-index', (await askFor(server, generation, ['EXISTS', generation])) === 0)
    }
    case 'ended':
      return one('endless-marker', (await askFor(server, key, ['PTTL', key])) === -1)
    case 'revocations': {
      const index = server.keys.revocationIndex()
      return one('unseen-outbox', (await askFor(server, index, ['ZSCORE', index, userKey])) === null)
    }
    default:
      return []
  }
}

/**
 * Removes the orphan if it still is one, in one step on the server.
 * @returns whether it was removed
 */
export async function removeOrphan({ server, store }: OrphanContext, { kind, userKey, id }: Orphan): Promise<boolean> {
  const { keys } = server
  const run = async (script: RedisScript, names: readonly string[], ...args: readonly string[]): Promise<boolean> => {
    const reply = await server.client.script(script, names, ['0', '0', ...args], { deadlineMs: ADMIN_DEADLINE_MS })
    return (reply as readonly number[])[0] === 1
  }
  switch (kind) {
    case 'dead-record':
      return run(DROP_DEAD_RECORD, [keys.session(userKey, id), keys.generation(userKey)])
    case 'lost-entry':
      return run(DROP_LOST_ENTRY, [keys.session(userKey, id), keys.generation(userKey), keys.sessions(userKey)], id)
    case 'stray-index':
      return run(DROP_STRAY_INDEX, [keys.generation(userKey), keys.sessions(userKey)])
    case 'endless-marker':
      return run(END_SOME_TIME, [keys.ended(userKey, id)], String(endedRememberedMs(Infinity)))
    case 'unseen-outbox':
      // Due at once. Announcing twice has the effect of once.
      await store.revocations.announce(userKey, 0)
      return true
  }
}

async function lostEntries(server: StoreServer, userKey: string): Promise<Orphan[]> {
  const { client, keys } = server
  const names = [keys.generation(userKey), keys.sessions(userKey)]
  const ids = (await client.script(LIVE_IDS, names, ['0', '0'], { deadlineMs: ADMIN_DEADLINE_MS })) as Buffer[]
  const records = ids.map((id) => keys.session(userKey, id.toString()))
  const [first] = records
  if (first === undefined || (await askFor(server, first, ['EXISTS', ...records])) === ids.length) return []
  const each = await Promise.all(records.map((record) => askFor(server, record, ['EXISTS', record])))
  return ids.filter((_, i) => each[i] === 0).map((id) => ({ kind: 'lost-entry', userKey, id: id.toString() }))
}
