/**
 * The log line of each event: its level, the area that `DEBUG=coatcheck:<area>` names, and the sentence. `info` reports
 * changes (a connection, a session, a grant). `warn` reports problems that an operator may have to check. Events of every
 * request are `debug`. A failure that may come with every request is written once, then counted (`repeats.ts`).
 */
import type { EventMap } from '../core/event-map.ts'
import type { EventName } from '../core/events.ts'
import type { LogLevel } from '../core/logger.ts'

export type LogArea = 'redis' | 'session' | 'token' | 'signin' | 'http' | 'error'

export interface LogLine<Event = never> {
  readonly area: LogArea
  readonly level: LogLevel | ((event: Event) => LogLevel)
  /** `{operation}` is replaced by the field of that name. */
  readonly text: string
  /** Returns the text for events that need another one; `null`: the usual text. */
  readonly textOf?: (event: Event) => string | null
  /**
   * Set if the line may come with every request: of equal lines, only one in ten seconds is written. `in-production`: development has no
   * such limit. Lines at debug have no limit.
   */
  readonly mayFlood?: true | 'in-production'
}

type LogLines = { readonly [Name in EventName]: LogLine<EventMap[Name]> }

export const logLines: LogLines = {
  'redis.status': { area: 'redis', level: ({ status }) => STATUS_LEVELS[status], text: 'connection to Redis' },
  'redis.operation': { area: 'redis', level: 'debug', text: 'operation of Redis' },
  'redis.near-read': { area: 'redis', level: 'debug', text: 'near cache asked' },
  'redis.tracking': {
    area: 'redis',
    level: ({ isOn }) => (isOn ? 'info' : 'warn'),
    text: 'changes of keys are heard of, or not',
  },
  'session.found': { area: 'session', level: 'debug', text: 'session found' },
  'session.missed': {
    area: 'session',
    level: ({ reason }) => (reason === 'lost' ? 'warn' : 'debug'),
    text: 'no session for this ticket',
    mayFlood: true,
  },
  'session.find-failed': { area: 'session', level: 'warn', text: 'session could not be read', mayFlood: true },
  'session.outage': { area: 'session', level: 'warn', text: 'answered without the store', mayFlood: true },
  'session.created': {
    area: 'session',
    // A visitor without cookies may get one with every request.
    level: ({ kind }) => (kind === 'user' ? 'info' : 'debug'),
    text: 'session created',
  },
  'session.updated': { area: 'session', level: 'debug', text: 'session updated' },
  'session.write-unawaited': {
    area: 'session',
    level: 'error',
    text: '{operation}() was not awaited, and it failed: write "await" before it',
    textOf: ({ what, at }) => {
      const call = at === undefined ? '{operation}()' : `{operation}() at ${at}`
      if (what !== undefined) return `${call} failed: ${what} It was not awaited either`
      return `${call} was not awaited, and it failed: write "await" before it`
    },
    mayFlood: 'in-production',
  },
  'session.rotated': { area: 'session', level: 'info', text: 'session has a new ticket' },
  'session.ended': { area: 'session', level: 'info', text: 'session ended' },
  'session.user-ended': { area: 'session', level: 'info', text: 'sessions of a user ended' },
  'session.refused': { area: 'session', level: 'warn', text: 'record or ticket refused', mayFlood: true },
  'ticket.duplicate': { area: 'session', level: 'warn', text: 'several cookies of our name', mayFlood: true },
  'token.hit': { area: 'token', level: 'debug', text: 'access token from the store' },
  'token.miss': { area: 'token', level: 'debug', text: 'no access token in the store' },
  'token.waited': { area: 'token', level: 'debug', text: 'waited for a refresh of another process' },
  'token.refreshed': { area: 'token', level: 'info', text: 'access token refreshed' },
  'token.refresh-failed': { area: 'token', level: 'warn', text: 'refresh failed' },
  'token.subject-mismatch': {
    area: 'token',
    level: 'error',
    text: 'grant ended: the provider answered a refresh with tokens of another subject',
  },
  'token.refresh-repeated': { area: 'token', level: 'warn', text: 'refresh repeated: no answer had arrived' },
  'token.grant-kept': { area: 'token', level: 'warn', text: 'grant kept in this process: it could not be saved' },
  'token.grant-saved': { area: 'token', level: 'info', text: 'kept grant saved' },
  'token.grant-restored': { area: 'token', level: 'warn', text: 'grant that a failover took back is stored again' },
  'token.grant-discarded': { area: 'token', level: 'info', text: 'kept grant discarded: another one is stored' },
  'token.revoked': { area: 'token', level: 'info', text: 'refresh token revoked at the provider' },
  'token.revocation-failed': {
    area: 'token',
    level: ({ final }) => (final ? 'error' : 'warn'),
    text: 'refresh token not revoked at the provider',
  },
  'token.deleted': { area: 'token', level: 'info', text: 'tokens deleted' },
  'signin.started': { area: 'signin', level: 'debug', text: 'sign-in started' },
  'signin.completed': { area: 'signin', level: 'info', text: 'signed in' },
  'signin.failed': { area: 'signin', level: 'warn', text: 'sign-in failed', mayFlood: true },
  'provider.discovery-failed': {
    area: 'signin',
    level: 'warn',
    text: 'metadata of the provider could not be read',
    mayFlood: true,
  },
  'provider.logout': { area: 'signin', level: 'info', text: 'logout by the provider' },
  signout: { area: 'signin', level: 'info', text: 'signed out' },
  'request.refused': { area: 'http', level: 'warn', text: 'request refused', mayFlood: true },
  'request.unhandled': {
    area: 'http',
    level: 'error',
    text: 'error without handler got 500: write app.use(web.errorHandler) last',
    mayFlood: true,
  },
  'request.unmounted': {
    area: 'http',
    level: 'warn',
    text: 'the sign-in route may be missing: the middleware never ran',
    textOf: ({ mount }) => `the sign-in route may be missing: write ${mount} before the routes`,
  },
  'migration.all-refused': {
    area: 'session',
    level: 'warn',
    text: 'every old cookie was refused so far: check "secret" of the bridge',
  },
  'migration.read': {
    area: 'session',
    level: ({ outcome }) => (outcome === 'unreadable' ? 'warn' : 'debug'),
    text: 'old record read',
    textOf: ({ outcome }) => (outcome === 'unreadable' ? 'old record left alone: it could not be read' : null),
    mayFlood: true,
  },
  error: { area: 'error', level: 'error', text: 'failed in the background', mayFlood: true },
}

const STATUS_LEVELS: Readonly<Record<EventMap['redis.status']['status'], LogLevel>> = {
  connecting: 'debug',
  ready: 'info',
  closed: 'info',
  'circuit-closed': 'info',
  reconnecting: 'warn',
  'circuit-open': 'warn',
}
