/** Lists the sessions of a user, and shows one session by its id. Reads through the driver and shows only names and sizes of the data. */
import { GENERATION_BYTES } from '../keyring/record-layout.ts'
import { keyTagOf } from '../keyring/seal.ts'
import { parseProfile, type SessionRecord } from '../session/session-codec.ts'
import { infoOf } from '../session/session-info.ts'
import { isExpired } from '../session/session-policy.ts'
import type { Loaded } from '../session/loaded.ts'
import { createVault } from '../session/session-vault.ts'
import { sessionIdOf } from '../session/ticket.ts'
import type { Json } from '../core/json.ts'
import type { SessionInfo } from '../session/types.ts'
import { examineSession, type SessionSummary } from './explain-session.ts'
import type { AdminContext } from './context.ts'

/** The number that `listByUser` returns without a limit. */
const MAX_LISTED = 1000

/** A live session with the sizes of its data. It holds no value of the data, no ticket and no token. */
export interface SessionDetails extends SessionInfo {
  /** Whether the session has a user. */
  readonly kind: 'anonymous' | 'user'
  /** Hash of the user id, as it stands in key names. */
  readonly userKey: string
  /** Id of the user, from `signIn.userId`. `null`: an anonymous session. */
  readonly userId: string | null
  /** When the session ends unless a request extends it, epoch milliseconds. */
  readonly idleExpiresAtMs: number
  /** When the session ends in any case, epoch milliseconds. */
  readonly absoluteExpiresAtMs: number
  /** Version of `session.schema` that the data was written with. */
  readonly schemaVersion: number
  /** Number of tickets that a rotation has issued and that no request has used yet. */
  readonly pendingTickets: number
  /** Size of the sealed record, bytes. */
  readonly recordBytes: number
  /** Id of the encryption key that sealed the record. */
  readonly keyId: string
  /** Names and sizes of the fields. */
  readonly fields: readonly FieldSize[]
}

/** Name and size of one field of the session data, or of one claim of the user's profile. Never the value. */
export interface FieldSize {
  /** Whether the field belongs to the session data or to the user's profile. */
  readonly in: 'data' | 'profile'
  /** Name of the field. */
  readonly name: string
  /** Size of the value as JSON, bytes. */
  readonly bytes: number
}

/** The result of `showSession()`. */
export interface ShownSession {
  /** State, evidence and times of the session. */
  readonly summary: SessionSummary
  /** Details of the session. `null`: it is not live. */
  readonly session: SessionDetails | null
}

/**
 * Lists the live sessions of a user, the last used first, at most 1,000. Not one atomic step: sessions that end meanwhile are left
 * out, and so are records that do not open. Empty: the user has no live session.
 * @throws {RedisError} during an outage
 */
export async function listSessions(context: AdminContext, userKey: string): Promise<readonly SessionInfo[]> {
  const loaded = await storedSessions(context, userKey, MAX_LISTED)
  return loaded.map(infoOf).sort((a, b) => b.lastSeenAtMs - a.lastSeenAtMs)
}

/** Decoded records of live sessions. A record that does not open is left out, as it is for the user. */
export async function storedSessions(context: AdminContext, userKey: string, max: number): Promise<readonly Loaded[]> {
  const vault = vaultOf(context)
  const rows = await context.store.sessions.list(userKey, max)
  return rows.flatMap(({ id, record }) => {
    const loaded = vault.open({ kind: 'user', userKey, id }, record)
    return typeof loaded === 'string' || isExpired(loaded.record, context.clock.now()) ? [] : [loaded]
  })
}

/**
 * Explains the state of a session as `explainSession()` does, and returns the details of a live one. Only reads.
 * @throws {MisuseError} `COATCHECK_INVALID_ARGUMENT` when the text is no session id
 * @throws {RedisError} during an outage
 */
export async function showSession(context: AdminContext, sessionId: string): Promise<ShownSession> {
  const { summary, loaded } = await examineSession(context, context, sessionId)
  return { summary, session: summary.state === 'live' && loaded ? detailsOf(context, loaded) : null }
}

function vaultOf({ seal, prefix, clock }: AdminContext): ReturnType<typeof createVault> {
  return createVault({ seal, namespace: prefix, clock })
}

function detailsOf({ keyring }: AdminContext, loaded: Loaded): SessionDetails {
  const { record, ref, sealed } = loaded
  const profile = parseProfile(record)
  return {
    ...infoOf(loaded),
    id: sessionIdOf(ref),
    kind: ref.kind,
    userKey: ref.userKey,
    userId: profile.userId ?? null,
    idleExpiresAtMs: record.idleExpiresAtMs,
    absoluteExpiresAtMs: record.absoluteExpiresAtMs,
    schemaVersion: record.schemaVersion,
    pendingTickets: record.secrets.pending.length,
    recordBytes: sealed.length,
    keyId: keyring.idOf(keyTagOf(sealed, GENERATION_BYTES)) ?? 'unknown',
    fields: [...sizesOf('profile', profile.claims ?? {}), ...sizesOf('data', dataOf(record))],
  }
}

function sizesOf(where: FieldSize['in'], values: { readonly [name: string]: Json | undefined }): FieldSize[] {
  return Object.entries(values).map(([name, value = null]) => ({
    in: where,
    name,
    bytes: Buffer.byteLength(JSON.stringify(value), 'utf8'),
  }))
}

function dataOf({ dataBytes }: SessionRecord): { readonly [name: string]: Json } {
  return dataBytes.length === 0 ? {} : (JSON.parse(dataBytes.toString('utf8')) as { readonly [name: string]: Json })
}
