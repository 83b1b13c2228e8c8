/**
 * Decisions about one session, as pure functions of its record and the time: which tickets open it, when it ends, when it is
 * due for a touch, and what a rotation makes of its secrets. Nothing here reads a clock or a store.
 */
import { timingSafeEqual } from 'node:crypto'
import type { Secrets, SessionRecord } from './session-codec.ts'
import type { SessionLife } from './session-driver.ts'

/** A response that carried the new ticket may be lost; requests sent before it arrived still hold the old one. */
const ROTATION_GRACE_MS = 10_000
/** The record outlives its deadline by this, so that a late visitor hears "expired" and clocks may differ a little. */
export const RECORD_SLACK_MS: number = 5 * 60_000
/** Touching once in a tenth of the idle time keeps writes rare and the deadline exact to a tenth. */
export const TOUCH_FRACTION = 0.1
/** After that the store still knows that a session ended, by its absence. */
const ENDED_REMEMBERED_MS = 60 * 60_000
/** Rotations whose response never arrived. More than a few in a row means that nobody is waiting for the older ones. */
const PENDING_KEPT = 4

export type TicketStatus = 'current' | 'pending' | 'previous' | 'refused'

/** Compares with every secret of the record in constant time each. */
export function statusOf(secretHash: Buffer, secrets: Secrets, nowMs: number): TicketStatus {
  if (timingSafeEqual(secretHash, secrets.current)) return 'current'
  for (const pending of secrets.pending) if (timingSafeEqual(secretHash, pending)) return 'pending'
  const { previous } = secrets
  if (previous && timingSafeEqual(secretHash, previous.hash) && nowMs < previous.untilMs) return 'previous'
  return 'refused'
}

/**
 * Routine rotation: the old ticket stays valid until the new one is seen. `immediate` (sign-in, privilege change): every
 * other ticket is dead as soon as this is stored.
 */
export function withNewSecret(secrets: Secrets, secretHash: Buffer, immediate: boolean): Secrets {
  if (immediate) return { current: secretHash, pending: [], previous: null }
  return { ...secrets, pending: [secretHash, ...secrets.pending].slice(0, PENDING_KEPT) }
}

/** The new ticket has been seen. Other pending ones stay: responses can arrive in any order. */
export function withSeenSecret(secrets: Secrets, secretHash: Buffer, nowMs: number): Secrets {
  return {
    current: secretHash,
    pending: secrets.pending.filter((hash) => !hash.equals(secretHash)),
    previous: { hash: secrets.current, untilMs: nowMs + ROTATION_GRACE_MS },
  }
}

export function isExpired(record: SessionRecord, nowMs: number): boolean {
  return nowMs >= record.idleExpiresAtMs || nowMs >= record.absoluteExpiresAtMs
}

export function isTouchDue(record: SessionRecord, idleTimeoutMs: number, nowMs: number): boolean {
  return nowMs - record.lastSeenAtMs >= idleTimeoutMs * TOUCH_FRACTION
}

/** Every write counts as activity. The absolute end never moves. */
export function touched(record: SessionRecord, idleTimeoutMs: number, nowMs: number): SessionRecord {
  // Field by field: a decoded record reads its fields from bytes, and a spread would not see them.
  return {
    schemaVersion: record.schemaVersion,
    createdAtMs: record.createdAtMs,
    lastSeenAtMs: nowMs,
    idleExpiresAtMs: Math.min(nowMs + idleTimeoutMs, record.absoluteExpiresAtMs),
    absoluteExpiresAtMs: record.absoluteExpiresAtMs,
    secrets: record.secrets,
    profileBytes: record.profileBytes,
    dataBytes: record.dataBytes,
  }
}

/** How long the store remembers why a session ended. (Those that a limit ended: until their absolute end.) */
export function endedRememberedMs(absoluteTimeoutMs: number): number {
  return Math.min(absoluteTimeoutMs, ENDED_REMEMBERED_MS)
}

/** When the session ends if nobody touches it. */
export function deadlineOf(record: SessionRecord): number {
  return Math.min(record.idleExpiresAtMs, record.absoluteExpiresAtMs)
}

export function lifeOf(record: SessionRecord, nowMs: number): SessionLife {
  return {
    ttlMs: Math.max(1, deadlineOf(record) - nowMs),
    slackMs: RECORD_SLACK_MS,
    absoluteMs: Math.max(1, record.absoluteExpiresAtMs - nowMs),
  }
}
