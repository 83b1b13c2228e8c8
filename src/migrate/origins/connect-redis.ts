/**
 * Sessions of connect-redis 7, 8 and 9, which store one format, for express-session and @fastify/session: JSON with the field `cookie` under
 * `sess:<session id>`.
 */
import type { SessionOrigin } from '../session-origin.ts'
import { checkedOptions, type OriginOptions } from '../origin-options.ts'
import { createOrigin } from '../sessions/create-origin.ts'
import { isObject, jsonObjectIn } from './session-json.ts'

/** Options of `connectRedis()`. */
export interface ConnectRedisOptions extends OriginOptions {
  /** The option `prefix` of connect-redis. Default `sess:`. */
  readonly prefix?: string
}

/**
 * Old sessions of connect-redis, for `migrateFrom` of `coatcheck/express-session` and `coatcheck/fastify-session`. A store with its own
 * `serializer` needs `jsonSessions()`.
 * @throws {MisuseError} `COATCHECK_INVALID_ARGUMENT`
 */
export function connectRedis(options: ConnectRedisOptions = {}): SessionOrigin {
  const { prefix = 'sess:', ...rest } = checkedOptions('connectRedis()', options, { prefix: 'text' })
  const format = {
    name: 'connect-redis',
    libraries: ['express-session', 'fastify-session'],
    prefix: prefix === '' ? null : prefix,
    isRecognizable: true,
    keyOf: (sid: string) => prefix + sid,
    decode: (text: string) => (isObject(jsonObjectIn(text)?.['cookie']) ? text : null),
    encode: (json: string) => json,
  }
  return createOrigin(format, rest)
}
