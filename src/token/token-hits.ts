/**
 * The hot path: decides whether a stored token meets the caller's need. If the driver keeps records, an unchanged record is not decrypted
 * and parsed again.
 */
import type { Clock } from '../core/clock.ts'
import type { EventBus } from '../core/events.ts'
import type { Refusal } from '../keyring/seal.ts'
import type { AccessEntry, TokenCodec } from './token-codec.ts'
import type { TokenDriver } from './token-driver.ts'
import { isGood, type Need } from './token-life.ts'
import type { Target } from './token-target.ts'

/** Returns the token if it is a hit. On a miss it reports the reason to listeners. */
export type TokenHits = (
  userKey: string,
  target: Target,
  need: Need,
  field: string,
  record: Buffer | null,
) => AccessEntry | null

export function createTokenHits(deps: {
  readonly driver: Pick<TokenDriver, 'keepsRecords'>
  readonly codec: TokenCodec
  readonly clock: Clock
  readonly events: EventBus
}): TokenHits {
  const { driver, codec, clock, events } = deps
  /** Keyed by the record itself, where the driver returns the same Buffer again. */
  const openedBefore = new WeakMap<Buffer, AccessEntry>()
  const openAccess = (userKey: string, field: string, record: Buffer): AccessEntry | Refusal => {
    const known = openedBefore.get(record)
    if (known !== undefined || driver.keepsRecords !== true) return known ?? codec.openAccess(userKey, field, record)
    const opened = codec.openAccess(userKey, field, record)
    if (typeof opened === 'string') return opened
    // Each hit returns this array: a caller must not be able to change it for the others.
    Object.freeze(opened.scopes)
    openedBefore.set(record, opened)
    return opened
  }

  return (userKey, target, need, field, record) => {
    const { provider, key: resource } = target
    // Another value is the reply to another command (misaligned replies). The following read, which is more thorough, reports it.
    const opened = Buffer.isBuffer(record) ? openAccess(userKey, field, record) : null
    if (opened && typeof opened !== 'string' && isGood(opened, need, clock.now())) {
      if (events.hasListeners('token.hit')) events.emit('token.hit', { userKey, provider, resource })
      return opened
    }
    const why = opened === null ? 'none' : typeof opened === 'string' ? 'unreadable' : 'expired'
    events.emit('token.miss', { userKey, provider, resource, why })
    return null
  }
}
