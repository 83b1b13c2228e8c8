/**
 * Strict parser for Redis URLs. It refuses what the client library would misread: an unescaped `#` or `/` in a password ends the host
 * early, and a host can be taken for a scheme. The error says what to write instead, and never shows the URL.
 */
import { refuse, type Source } from '../config/refusal.ts'
import type { ConfigError } from '../core/errors.ts'

export type RedisAddress = { readonly host: string; readonly port: number } | { readonly path: string }

export interface RedisUrl {
  readonly address: RedisAddress
  /** True if the URL contains a port, rather than the default one. */
  readonly hasPort: boolean
  readonly tls: boolean
  readonly username: string | null
  readonly password: string | null
  readonly database: number
}

const DEFAULT_PORT = 6379
const FORM = 'redis://host:6379, rediss://user:password@host:6379/0 or unix:///path/to/socket'
const ENCODE = 'characters of a user name or password such as # / ? @ % : must be percent-encoded'
const ENCODE_FIX =
  'Put the password into REDIS_PASSWORD, where it stands as it is, or encode it: node -p "encodeURIComponent(process.env.REDIS_PASSWORD)".'
/** The `reason` of an error about such unescaped characters. */
export const UNESCAPED = 'unescaped'

/**
 * Parses one of several nodes or sentinels: `host`, `host:port`, or a URL.
 * @throws {ConfigError} `COATCHECK_CONFIG_INVALID`, naming `source`
 */
export function parseNode(
  text: string,
  source: Source,
  defaultPort: number,
): RedisUrl & { readonly address: { readonly host: string; readonly port: number } } {
  const url = parseRedisUrl(text.includes('://') ? text : `redis://${text}`, source)
  const { address } = url
  if ('path' in address) throw refuse(source, 'takes host:port')
  return { ...url, address: { host: address.host, port: url.hasPort ? address.port : defaultPort } }
}

/** @throws {ConfigError} `COATCHECK_CONFIG_INVALID`, naming `source` */
export function parseRedisUrl(text: string, source: Source): RedisUrl {
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(text)?.[1]?.toLowerCase()
  if (scheme === undefined) throw refuse(source, `has no scheme; write ${FORM}`)
  if (scheme !== 'redis' && scheme !== 'rediss' && scheme !== 'unix') {
    throw refuse(source, `has a scheme that is not redis, rediss or unix; write ${FORM}`)
  }
  const rest = text.slice(scheme.length + 3)
  if (rest.includes('#')) throw unescaped(source, 'has a # in it')
  const at = rest.lastIndexOf('@')
  if (rest.indexOf('@') !== at) throw unescaped(source, 'has more than one @ in it')
  const userInfo = rest.slice(0, Math.max(at, 0))
  if (/[/?\\]/.test(userInfo) && scheme !== 'unix') throw unescaped(source, 'has a / or ? before the @')
  const credentials = readCredentials(userInfo, source)
  const tail = rest.slice(at + 1)
  return scheme === 'unix'
    ? { ...readSocket(tail, source), ...credentials, tls: false }
    : { ...readHost(tail, source), ...credentials, tls: scheme === 'rediss' }
}

function readCredentials(userInfo: string, source: Source): Pick<RedisUrl, 'username' | 'password'> {
  const colon = userInfo.indexOf(':')
  const [username, password] = colon < 0 ? [userInfo, ''] : [userInfo.slice(0, colon), userInfo.slice(colon + 1)]
  if (password.includes(':')) throw unescaped(source, 'has more than one : before the @')
  try {
    return { username: decodeURIComponent(username) || null, password: decodeURIComponent(password) || null }
  } catch {
    throw unescaped(source, 'has a % that is not followed by two hexadecimal digits')
  }
}

function unescaped(source: Source, what: string): ConfigError {
  return refuse(source, `${what}; ${ENCODE}`, { fix: ENCODE_FIX, reason: UNESCAPED })
}

function readHost(tail: string, source: Source): Pick<RedisUrl, 'address' | 'hasPort' | 'database'> {
  if (tail.includes('?')) throw refuse(source, 'has a query (?…), which means nothing here')
  const match = /^(\[[0-9a-f:.]+\]|[^/:[\]]+)(?::(\d{1,5}))?(?:\/(.*))?$/i.exec(tail)
  if (!match) throw refuse(source, `has no host, or a port that is not a number; write ${FORM}`)
  const [, host = '', port, path = ''] = match
  const number = port === undefined ? DEFAULT_PORT : Number(port)
  if (number < 1 || number > 65_535) throw refuse(source, 'has a port that is not from 1 to 65535')
  // The platform's own URL parser must accept the host unchanged.
  if (!URL.canParse(`redis://${host}`)) throw refuse(source, `has a host that cannot be one; write ${FORM}`)
  return {
    address: { host: host.replace(/^\[|\]$/g, ''), port: number },
    hasPort: port !== undefined,
    database: readDatabase(path, source),
  }
}

function readSocket(tail: string, source: Source): Pick<RedisUrl, 'address' | 'hasPort' | 'database'> {
  const [path = '', query] = tail.split('?')
  if (!path.startsWith('/')) throw refuse(source, 'wants an absolute path after unix://, so three slashes')
  if (query !== undefined && !query.startsWith('db='))
    throw refuse(source, 'takes nothing but ?db=<number> after the path')
  return { address: { path: decodeURI(path) }, hasPort: false, database: readDatabase(query?.slice(3) ?? '', source) }
}

function readDatabase(text: string, source: Source): number {
  if (!/^\d{0,5}$/.test(text)) throw refuse(source, 'has a database that is not a number, such as /0')
  return Number(text)
}
