/**
 * The text form of faults, on the command line and in the page of the provider: `refresh=429:3`, `token=slow:6s`, `redis=down:10s`,
 * `jwks=rotate`, `clock=+7m`. Both use one grammar. `fault-switches.ts` implements the faults.
 */
import { parseDurationMs } from '../core/duration.ts'
import { ConfigError } from '../core/errors.ts'
import { safeText } from '../core/redact.ts'
import type { FaultOptions } from './faults.ts'

export type FaultSwitch =
  | { readonly kind: 'provider'; readonly options: FaultOptions }
  /** The provider signs with a new key from now on. */
  | { readonly kind: 'rotate' }
  /** Difference of the provider's clock from the real time. 0: no difference. */
  | { readonly kind: 'clock'; readonly byMs: number }
  | RedisFault

/** If `forMs` is `null`, the fault lasts until it is cleared. */
export type RedisFault =
  /** Existing connections are reset, and new ones refused. */
  | {
      /** Marks a fault of Redis. */
      readonly kind: 'redis'
      /** What happens to connections. */
      readonly how: 'down'
      /** How long it lasts, milliseconds; `null`: until it is cleared. */
      readonly forMs: number | null
    }
  /** Connections stay open, and no command is answered. */
  | {
      /** Marks a fault of Redis. */
      readonly kind: 'redis'
      /** What happens to connections. */
      readonly how: 'hang'
      /** How long it lasts, milliseconds; `null`: until it is cleared. */
      readonly forMs: number | null
    }
  /** All data is delayed by this time, in each direction. */
  | {
      /** Marks a fault of Redis. */
      readonly kind: 'redis'
      /** What happens to connections. */
      readonly how: 'slow'
      /** Added to each direction, milliseconds. */
      readonly delayMs: number
      /** How long it lasts, milliseconds; `null`: until it is cleared. */
      readonly forMs: number | null
    }

/** Request names, and the requests that they select. */
const REQUESTS: Readonly<Record<string, Pick<FaultOptions, 'route' | 'grantType'>>> = {
  token: { route: 'token' },
  refresh: { route: 'token', grantType: 'refresh_token' },
  code: { route: 'token', grantType: 'authorization_code' },
  app: { route: 'token', grantType: 'client_credentials' },
  authorize: { route: 'authorize' },
  discovery: { route: 'discovery' },
  jwks: { route: 'keys' },
  userinfo: { route: 'userinfo' },
  revoke: { route: 'revoke' },
  logout: { route: 'logout' },
}
const RETRY_AFTER_SECONDS = 2
/** With these statuses a provider says when to retry. */
const WAIT_STATUSES: readonly number[] = [429, 503]

/** One line for help and messages. */
export const faultSyntax =
  '<request>=<status | slow:6s | drop | lost | invalid_grant>[:<times | always>], ' +
  'redis=<down | hang | slow:200ms>[:10s], jwks=rotate, clock=+7m'

/** @throws {ConfigError} `COATCHECK_CONFIG_INVALID`, with the accepted forms */
export function parseFault(text: string): FaultSwitch {
  const [what = '', ...rest] = text.trim().split('=')
  const how = rest.join('=').trim()
  const request = Object.hasOwn(REQUESTS, what) ? REQUESTS[what] : undefined
  let parsed: FaultSwitch | null = null
  if (what === 'clock') parsed = clockFault(how)
  else if (what === 'redis') parsed = redisFault(how)
  else if (what === 'jwks' && how === 'rotate') parsed = { kind: 'rotate' }
  else if (request) parsed = requestFault(request, how)
  if (parsed) return parsed
  throw new ConfigError('COATCHECK_CONFIG_INVALID', {
    message: `The fault "${safeText(text, 60)}" is none. Known: ${faultSyntax}; requests: ${Object.keys(REQUESTS).join(', ')}.`,
  })
}

function requestFault(request: Pick<FaultOptions, 'route' | 'grantType'>, how: string): FaultSwitch | null {
  const parts = how.split(':')
  const what = parts.shift() ?? ''
  const delayMs = what === 'slow' ? parseDurationMs(parts.shift()) : null
  const times = timesOf(parts)
  const effect = what === 'slow' ? (delayMs === null ? null : { delayMs }) : answerOf(what, request.route === 'token')
  return times === null || effect === null ? null : { kind: 'provider', options: { ...request, ...effect, times } }
}

function answerOf(what: string, isToken: boolean): FaultOptions | null {
  if (what === 'drop') return { drop: 'before' }
  if (what === 'lost') return { drop: 'after' }
  if (/^[45]\d\d$/.test(what)) {
    const status = Number(what)
    return {
      status,
      ...(WAIT_STATUSES.includes(status) && { headers: { 'retry-after': String(RETRY_AFTER_SECONDS) } }),
    }
  }
  // RFC 6749 section 5.2: errors of the token endpoint are words.
  if (!isToken || !/^[a-z]+(?:_[a-z]+)+$/.test(what)) return null
  const body = JSON.stringify({ error: what, error_description: 'A fault of the development provider.' })
  return { status: 400, headers: { 'content-type': 'application/json' }, body }
}

/** Without a number: once. */
function timesOf(parts: readonly string[]): number | null {
  const [times] = parts
  if (times === undefined) return 1
  if (parts.length > 1) return null
  if (times === 'always') return Number.POSITIVE_INFINITY
  return /^[1-9]\d{0,8}$/.test(times) ? Number(times) : null
}

function redisFault(text: string): RedisFault | null {
  const parts = text.split(':')
  const how = parts.shift()
  const delayMs = how === 'slow' ? parseDurationMs(parts.shift()) : null
  const forMs = parts.length === 0 ? null : parseDurationMs(parts[0])
  if (parts.length > 1 || (parts.length === 1 && forMs === null)) return null
  if (how === 'down' || how === 'hang') return { kind: 'redis', how, forMs }
  return delayMs === null ? null : { kind: 'redis', how: 'slow', delayMs, forMs }
}

/** In a form, a plus becomes a space, so a missing sign also counts as plus. */
function clockFault(text: string): FaultSwitch | null {
  if (/^[+-]?0$/.test(text)) return { kind: 'clock', byMs: 0 }
  const ms = parseDurationMs(text.replace(/^[+-]/, ''))
  return ms === null ? null : { kind: 'clock', byMs: text.startsWith('-') ? -ms : ms }
}
