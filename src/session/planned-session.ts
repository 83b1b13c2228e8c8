/**
 * A session in two steps: a plan that can be written down, and the record that follows from it. A move from another library stores
 * the plan first, under the name of the old session. Each request that finds the plan can then create the same session, so a crash
 * between the two steps loses no user, and parallel requests create one session.
 */
import type { ResolvedSession } from '../config/session-settings.ts'
import type { Clock } from '../core/clock.ts'
import { SessionError } from '../core/errors.ts'
import type { EventBus } from '../core/events.ts'
import type { Random } from '../core/random.ts'
import type { Keyring } from '../keyring/keyring.ts'
import type { Seal } from '../keyring/seal.ts'
import { parseJson } from '../core/json.ts'
import { toJsonText } from './json-value.ts'
import type { SessionRecord } from './session-codec.ts'
import { createSessionData } from './session-data.ts'
import type { SessionDriver } from './session-driver.ts'
import type { SessionMemory } from './session-memory.ts'
import { lifeOf, TOUCH_FRACTION } from './session-policy.ts'
import { createVault } from './session-vault.ts'
import { createTickets, sessionIdOf } from './ticket.ts'
import type { Json } from '../core/json.ts'
import type { Authentication, Device } from './sign-in-input.ts'

/** The content of a planned session. */
export interface PlannedInput {
  readonly userId: string
  readonly profile?: { readonly [claim: string]: Json | undefined } | undefined
  readonly authentication?: Authentication | undefined
  readonly data: Readonly<Record<string, unknown>>
  readonly device?: Device | undefined
  /** First end of the session, epoch milliseconds. `null`: the end that the configuration gives. */
  readonly endsAtMs: number | null
  /** Whether uses move the end beyond `endsAtMs`, by `session.idleTimeout`. False: the session ends at that time in any case. */
  readonly isExtended: boolean
}

/** JSON that must be stored in a sealed document only, because it contains the ticket. */
export interface PlannedSession {
  readonly ticket: string
  readonly profile: string
  readonly data: string
  readonly schemaVersion: number
  /** Epoch milliseconds. */
  readonly absoluteExpiresAtMs: number
  /** The end without a further use, epoch milliseconds. `null`: the end that the configuration gives. */
  readonly idleExpiresAtMs: number | null
}

export interface PlannedSessions {
  /**
   * Generates id and ticket, and checks the data. Writes nothing.
   * @throws {SessionError} `COATCHECK_SESSION_SCHEMA`, `COATCHECK_SESSION_TOO_LARGE`
   * @throws {MisuseError} `COATCHECK_SESSION_VALUE`
   */
  plan(input: PlannedInput): PlannedSession
  /**
   * Stores the session, unless a session of this id is stored or has ended.
   * @throws {SessionError} `COATCHECK_SESSION_LIMIT`
   * @throws {RedisError} during an outage
   */
  store(plan: PlannedSession): Promise<void>
  /** Returns the id of the session that a ticket opens. `null`: the ticket has expired, or no key of the ring signed it. */
  idOf(ticket: string): string | null
  /** Returns the hash of the user id of that session. `null` as for `idOf`. */
  userKeyOf(ticket: string): string | null
}

export interface PlannedSessionDeps<D extends object> {
  readonly driver: SessionDriver
  readonly keyring: Keyring
  readonly seal: Seal
  readonly config: ResolvedSession<D>
  readonly namespace: string
  /** What the process remembers of sessions. Absent: nothing. */
  readonly memory?: SessionMemory
  readonly clock: Clock
  readonly random: Random
  readonly events: EventBus
}

export function createPlannedSessions<D extends object>(deps: PlannedSessionDeps<D>): PlannedSessions {
  const { driver, keyring, config, clock, random, events } = deps
  const tickets = createTickets(keyring, random, clock)
  const vault = createVault(deps)
  const data = createSessionData(config)

  return {
    plan({ userId, profile, authentication, data: given, device, endsAtMs, isExtended }) {
      const { schemaVersion, dataBytes } = data.initial({ ...given })
      const claims = toJsonText(profile, 'user')
      const ref = tickets.newRef(keyring.userKey(userId))
      const latestMs = clock.now() + config.absoluteTimeoutMs
      const absoluteExpiresAtMs = isExtended || endsAtMs === null ? latestMs : Math.min(latestMs, endsAtMs)
      return {
        ticket: tickets.issue(ref, absoluteExpiresAtMs).ticket,
        profile: JSON.stringify({
          userId,
          ...(claims !== undefined && { claims: parseJson(claims) }),
          ...(authentication && { authentication }),
          ...(device && { device }),
        }),
        data: dataBytes.toString('utf8'),
        schemaVersion,
        absoluteExpiresAtMs,
        idleExpiresAtMs: endsAtMs,
      }
    },

    async store(plan) {
      const parsed = tickets.parse(plan.ticket)
      // The ticket was sealed with the plan. One that has expired meanwhile opens nothing.
      if (typeof parsed === 'string') return
      const nowMs = clock.now()
      const { lastSeenAtMs, idleExpiresAtMs } = firstLife(plan, config.idleTimeoutMs, nowMs)
      const record: SessionRecord = {
        schemaVersion: plan.schemaVersion,
        createdAtMs: nowMs,
        lastSeenAtMs,
        idleExpiresAtMs,
        absoluteExpiresAtMs: plan.absoluteExpiresAtMs,
        secrets: { current: parsed.secretHash, pending: [], previous: null },
        profileBytes: Buffer.from(plan.profile, 'utf8'),
        dataBytes: Buffer.from(plan.data, 'utf8'),
      }
      const { ref } = parsed
      const { sealed } = vault.seal(ref, record)
      const reply = await driver.create(ref, sealed, lifeOf(record, nowMs), config.limit ?? undefined)
      if (reply.status === 'refused') throw new SessionError('COATCHECK_SESSION_LIMIT')
      if (reply.status === 'ended') return
      for (const id of reply.endedIds) {
        deps.memory?.verified.forget({ id })
        events.emit('session.ended', { sessionId: sessionIdOf({ ...ref, id }), reason: 'limit' })
      }
      events.emit('session.created', { sessionId: sessionIdOf(ref), kind: ref.kind })
    },

    idOf(ticket) {
      const parsed = tickets.parse(ticket)
      return typeof parsed === 'string' ? null : sessionIdOf(parsed.ref)
    },

    userKeyOf(ticket) {
      const parsed = tickets.parse(ticket)
      return typeof parsed === 'string' ? null : parsed.ref.userKey
    },
  }
}

/**
 * The session starts with the given end. If that end is near, the next uses must not wait for a tenth of the idle timeout to move it. So
 * the time of the last use is set far enough back that a use after a tenth of the remaining life moves the end.
 */
function firstLife(
  { idleExpiresAtMs, absoluteExpiresAtMs }: PlannedSession,
  idleTimeoutMs: number,
  nowMs: number,
): Pick<SessionRecord, 'lastSeenAtMs' | 'idleExpiresAtMs'> {
  const usualMs = Math.min(nowMs + idleTimeoutMs, absoluteExpiresAtMs)
  if (idleExpiresAtMs === null || idleExpiresAtMs >= usualMs) return { lastSeenAtMs: nowMs, idleExpiresAtMs: usualMs }
  const waitMs = Math.max(0, idleExpiresAtMs - nowMs) * TOUCH_FRACTION
  return { lastSeenAtMs: Math.floor(nowMs + waitMs - idleTimeoutMs * TOUCH_FRACTION), idleExpiresAtMs }
}
