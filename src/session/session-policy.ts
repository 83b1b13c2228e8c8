/**
 * Decisions about one session, as pure functions of its record and the time: which tickets open it, when it ends, when a
 * touch is due, and how a rotation changes its secrets. This module reads no clock and no store.
 */
import { ENDED_REMEMBERED_MS } from '../core/time-to-live.ts'
import { timingSafeEqual } from 'node:crypto'
import type { Secrets, SessionRecord } from './session-codec.ts'
import type { SessionLife } from './session-driver.ts'

/** How long the previous ticket is accepted after a rotation: its response may be lost, and earlier requests still hold the previous ticket. */
const ROTATION_GRACE_MS = 10_000
/** The record outlives its deadline by this time, so that a late visitor gets "expired" and clocks may differ a little. */
export const RECORD_SLACK_MS: number = 5 * 60_000
/** One touch per tenth of the idle timeout keeps writes rare and the deadline exact to a tenth. */
export const TOUCH_FRACTION = 0.1
/** How many unconfirmed rotations a record keeps, the newest ones. After more in a row, no browser uses the ticket of an older one. */
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
 * A routine rotation keeps the old ticket valid until the new one is used. `immediate` (sign-in, privilege change): all
 * other tickets end as soon as this is stored.
 */
export function withNewSecret(secrets: Secrets, secretHash: Buffer, immediate: boolean): Secrets {
  if (immediate) return { current: secretHash, pending: [], previous: null }
  return { ...secrets, pending: [secretHash, ...secrets.pending].slice(0, PENDING_KEPT) }
}

/** Promotes the new ticket after its first use. Other pending tickets stay, because responses can arrive in any order. */
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

/**
 * How long the store remembers why a session ended. The driver decides for sessions that the limit ended: it remembers them for the whole
 * absolute timeout.
 */
export function endedRememberedMs(absoluteTimeoutMs: number): number {
  return Math.min(absoluteTimeoutMs, ENDED_REMEMBERED_MS)
}

/** When the session ends without further use. */
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
