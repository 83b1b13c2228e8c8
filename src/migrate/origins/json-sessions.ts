/** The origin `jsonSessions()`: sessions in a format of the application, which names their keys and decodes their values. */
import { describeValue } from '../../core/redact.ts'
import type { SessionOrigin } from '../session-origin.ts'
import { checkedOptions, type OriginOptions } from '../origin-options.ts'
import { createOrigin } from '../sessions/create-origin.ts'
import { isTooDeep } from '../read-json.ts'
import { isObject, jsonObjectIn } from './session-json.ts'

/** Options of `jsonSessions()`. */
export interface JsonSessionsOptions extends OriginOptions {
  /** Name of the format in events and metrics: at most 32 of a-z, 0-9, and `-`. Default `json`. */
  readonly name?: string
  /** Returns the old key of a session id. */
  readonly keyOf: (sid: string) => string
  /** The prefix that all old keys have, and no other key: `all()`, `length()` and `clear()` then include old sessions. Default: unknown. */
  readonly prefix?: string
  /**
   * Returns the session in a stored text. `null`, or an exception: the text is no session, and stays as it is. Default: any JSON object.
   * Check for a field that only sessions have if the old keys have no prefix of their own.
   */
  readonly decode?: (text: string) => Readonly<Record<string, unknown>> | null
  /** Returns the text that the old library reads. Default `JSON.stringify`. */
  readonly encode?: (session: Readonly<Record<string, unknown>>) => string
}

/**
 * Old sessions in a format of your own, for `migrateFrom` of `coatcheck/express-session`, `coatcheck/fastify-session` and
 * `coatcheck/koa-session`.
 * @throws {MisuseError} `COATCHECK_INVALID_ARGUMENT`
 */
export function jsonSessions(options: JsonSessionsOptions): SessionOrigin {
  const given = checkedOptions('jsonSessions()', options, {
    ...{ name: nameComplaint, keyOf: 'required function', prefix: 'text', decode: 'function', encode: 'function' },
  })
  const { name = 'json', keyOf, prefix = '', decode = jsonObjectIn, encode, ...rest } = given
  const format = {
    name,
    libraries: null,
    prefix: prefix || null,
    isRecognizable: decode !== jsonObjectIn,
    keyOf,
    decode: (text: string) => jsonOf(decode, text),
    encode: (json: string) => (encode ? encode(JSON.parse(json) as Readonly<Record<string, unknown>>) : json),
  }
  return createOrigin(format, rest)
}

function nameComplaint(name: unknown): string | null {
  const isName = name === undefined || (typeof name === 'string' && /^[a-z0-9-]{1,32}$/.test(name))
  return isName ? null : `must be 1 to 32 of a-z, 0-9 and -; it got ${describeValue(name)}`
}

function jsonOf(decode: NonNullable<JsonSessionsOptions['decode']>, text: string): string | null {
  try {
    const session = decode(text)
    const json = isObject(session) ? JSON.stringify(session) : null
    return json === null || isTooDeep(json) ? null : json
  } catch {
    return null
  }
}
