/**
 * Sessions that koa-session kept in a store of the application: JSON with `_expire` and `_maxAge`, or `_session`, under the bare session id or
 * under a prefix. A bare key may belong to anything, so a value counts only with one of these fields.
 */
import type { SessionOrigin } from '../session-origin.ts'
import { checkedOptions, type OriginOptions } from '../origin-options.ts'
import { createOrigin } from '../sessions/create-origin.ts'
import { jsonObjectIn } from './session-json.ts'

/** Options of `koaSessionStore()`. */
export interface KoaSessionStoreOptions extends OriginOptions {
  /** Prefix that the store of the application puts before a session id. Default: none. */
  readonly prefix?: string
}

/**
 * Old sessions of koa-session with an external store that writes JSON to Redis, for `migrateFrom` of `coatcheck/koa-session`.
 * @throws {MisuseError} `COATCHECK_INVALID_ARGUMENT`
 */
export function koaSessionStore(options: KoaSessionStoreOptions = {}): SessionOrigin {
  const { prefix = '', ...rest } = checkedOptions('koaSessionStore()', options, { prefix: 'text' })
  const format = {
    name: 'koa-session',
    libraries: ['koa-session'],
    prefix: prefix === '' ? null : prefix,
    isRecognizable: true,
    keyOf: (sid: string) => prefix + sid,
    decode: (text: string) => (isKoaSession(text) ? text : null),
    encode: (json: string) => json,
  }
  return createOrigin(format, rest)
}

function isKoaSession(text: string): boolean {
  const session = jsonObjectIn(text)
  if (!session) return false
  const { _expire, _maxAge, _session } = session
  return (typeof _expire === 'number' && typeof _maxAge === 'number') || _session === true
}
