/**
 * The hot path: whether a stored token is what a caller needs. What is read again unchanged is neither decrypted nor parsed
 * again, where the driver keeps records.
 */
import type { Clock } from '../core/clock.ts'
import type { EventBus } from '../core/events.ts'
import type { Refusal } from '../keyring/seal.ts'
import type { AccessEntry, TokenCodec } from './token-codec.ts'
import type { TokenDriver } from './token-driver.ts'
import { isGood, type Need } from './token-life.ts'
import type { Target } from './token-target.ts'

/** What was read, if it is a hit. Why it is none is told to listeners. */
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
  /** By the record itself, where the driver hands out the same one again. */
  const openedBefore = new WeakMap<Buffer, AccessEntry>()
  const openAccess = (userKey: string, field: string, record: Buffer): AccessEntry | Refusal => {
    const known = openedBefore.get(record)
    if (known !== undefined || driver.keepsRecords !== true) return known ?? codec.openAccess(userKey, field, record)
    const opened = codec.openAccess(userKey, field, record)
    if (typeof opened === 'string') return opened
    // Handed out with each hit: whoever changes theirs must not change everybody's.
    Object.freeze(opened.scopes)
    openedBefore.set(record, opened)
    return opened
  }

  return (userKey, target, need, field, record) => {
    const { provider, key: resource } = target
    // Anything else is the reply to another command, and whoever asks again more thoroughly will say so.
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
