/**
 * The kinds of value that a setting can have: which values are accepted, and how a message describes them. Kinds check shapes only. The
 * `resolve…` files decide which combinations of settings are valid.
 */
import { LEAST_LIFETIME_NUMBER_MS, parseDurationMs } from '../core/duration.ts'
import { isAddressOrNetwork } from '../core/local-address.ts'

export interface Kind {
  /** Completes the sentence "expected …". */
  readonly wants: string
  accepts(value: unknown): boolean
  /** Explains why this value is refused, if that is not obvious; else `undefined`. */
  readonly why?: (value: unknown) => string | undefined
}

const DAY_MS = 86_400_000
/** RFC 6265 section 4.1.1: a cookie name is a token of RFC 9110. */
const COOKIE_NAME = /^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}$/
const PROVIDER_NAME = /^[a-z0-9][a-z0-9_-]{0,31}$/
const BASE_PATH = /^(?:\/[A-Za-z0-9._~-]+)+$/
/** Printable ASCII without space, braces (hash tags of a cluster) and characters with a special meaning in SCAN patterns and ACL rules. */
const PREFIX = /^[!-~]{0,64}$/
const PREFIX_FORBIDDEN = /[{}*?[\]\\]/
/** A path that no browser reads as another host, or an image inside the page. SVG in `<img>` runs no script. */
const LOGO =
  /^(?:\/(?!\/)[A-Za-z0-9._~%/-]{1,512}|data:image\/(?:png|jpeg|gif|webp|avif|svg\+xml);base64,[A-Za-z0-9+/]+={0,2})$/
const LOGO_CHARACTERS = 65_536
/** RFC 6749 section 3.3. */
const SCOPE = /^[\x21\x23-\x5b\x5d-\x7e]{1,512}$/

export const section: Kind = { wants: 'an object', accepts: isPlainObject }
export const functionKind: Kind = { wants: 'a function', accepts: (value) => typeof value === 'function' }
export const flag: Kind = { wants: 'true or false', accepts: (value) => typeof value === 'boolean' }
export const text: Kind = { wants: 'a text that is not empty', accepts: isText }
export const keys: Kind = {
  wants: 'one or more entries "base64" or "id:base64" of 32 bytes each, separated by commas or as an array',
  accepts: (value) => isText(value) || (Array.isArray(value) && value.length > 0 && value.every(isText)),
}
export const pemCertificate: Kind = {
  wants: 'PEM text with a private key (PKCS #8) and its certificate',
  accepts: (value) =>
    isText(value) && value.includes('-----BEGIN PRIVATE KEY-----') && value.includes('-----BEGIN CERTIFICATE-----'),
}
export const duration: Kind = {
  wants: "a duration such as '8h', '30 min' or milliseconds, from 1 s to 3,650 d",
  accepts: (value) => inRange(parseDurationMs(value), 1000, 3650 * DAY_MS),
}
/**
 * How long sessions and grants live. A small number is most likely in seconds, as in other libraries, and sessions would end
 * within minutes. So a lifetime below an hour must have a unit.
 */
export const lifetime: Kind = {
  wants: `a duration with a unit such as '8h' or '30 min', or milliseconds from ${LEAST_LIFETIME_NUMBER_MS.toLocaleString('en')} on; from 1 s to 3,650 d`,
  accepts: (value) => duration.accepts(value) && !isSmallNumber(value),
  why: (value) =>
    isSmallNumber(value) && value > 0
      ? 'Numbers are milliseconds here. One below an hour is most likely meant in seconds, and sessions would end too early.'
      : undefined,
}
/**
 * A lifetime for a store that replaces connect-redis, which counts `ttl` in seconds. 90 days in seconds are two hours in milliseconds. So
 * a bare number must be a day or more: read as seconds, it would be years.
 */
export const dropInLifetime: Kind = {
  wants: `a duration with a unit such as '24h' or '30 min', or milliseconds from ${DAY_MS.toLocaleString('en')} (one day) on; a ttl of connect-redis, in seconds, goes into ttlSeconds`,
  accepts: (value) => duration.accepts(value) && !isSmallNumber(value, DAY_MS),
  why: (value) => {
    if (typeof value === 'function') return 'A function of connect-redis returns seconds.'
    return isSmallNumber(value, DAY_MS) && value > 0
      ? 'Numbers are milliseconds here. connect-redis counts in seconds, and sessions would end too early.'
      : undefined
  },
}
export const secondsOrFunction: Kind = {
  wants: 'whole seconds from 1 to 315,360,000 (3,650 days), or a function that returns seconds',
  accepts: (value) =>
    typeof value === 'function' || (Number.isInteger(value) && inRange(value as number, 1, (3650 * DAY_MS) / 1000)),
}
export const clockTolerance: Kind = {
  wants: "a duration from 1 s to 10 min, such as '60s'",
  accepts: (value) => inRange(parseDurationMs(value), 1000, 600_000),
}
export const httpUrl: Kind = {
  wants: 'an absolute URL with https:// (http:// on a loopback address only), without user, query or fragment',
  accepts: isHttpUrl,
}
export const originUrl: Kind = {
  wants: "the origin that browsers see, such as 'https://app.example.com', without path, user, query or fragment",
  accepts: (value) => isHttpUrl(value) && new URL(value as string).pathname === '/',
}
/** As an array, or in one text separated by commas. */
export const networks: Kind = {
  wants: "addresses or networks such as '172.18.0.1' or '172.18.0.0/16'",
  accepts: (value) => {
    const all: unknown = typeof value === 'string' ? value.split(',').map((one) => one.trim()) : value
    return (
      Array.isArray(all) && all.length > 0 && all.every((one) => typeof one === 'string' && isAddressOrNetwork(one))
    )
  },
}
export const basePath: Kind = {
  wants: "a path such as '/auth', without a slash at its end",
  accepts: (value) => typeof value === 'string' && BASE_PATH.test(value) && !/\/\.{1,2}(?:\/|$)/.test(value),
}
export const keyPrefix: Kind = {
  wants: 'at most 64 printable ASCII characters without spaces, braces and the pattern characters * ? [ ] \\',
  accepts: (value) => typeof value === 'string' && PREFIX.test(value) && !PREFIX_FORBIDDEN.test(value),
}
export const cookieName: Kind = {
  wants: 'at most 64 letters, digits or -_.!~ without the prefix __Host- or __Secure-, which Coatcheck adds on https',
  accepts: (value) => typeof value === 'string' && COOKIE_NAME.test(value) && !/^__(?:host|secure|http)-/i.test(value),
}
export const providerName: Kind = {
  wants: 'at most 32 of a-z, 0-9, - and _, starting with a letter or digit',
  accepts: (value) => typeof value === 'string' && PROVIDER_NAME.test(value),
}
export const scopes: Kind = {
  wants: 'an array of scopes, each without spaces, quotes and backslashes',
  accepts: (value) => Array.isArray(value) && value.every((v) => typeof v === 'string' && SCOPE.test(v)),
}
export const fieldNames: Kind = {
  wants: 'an array of names of session fields',
  accepts: (value) => Array.isArray(value) && value.every(isText),
}
export const tenant: Kind = {
  wants: "the directory (tenant) id, a GUID, or 'common', 'organizations' or 'consumers'",
  accepts: (value) => isGuid(value) || value === 'common' || value === 'organizations' || value === 'consumers',
}
export const tenants: Kind = {
  wants: "an array of directory (tenant) ids, each a GUID, or 'any'",
  accepts: (value) => value === 'any' || (Array.isArray(value) && value.every(isGuid)),
}
export const displayName: Kind = {
  wants: 'a text of 1 to 60 characters without control characters',
  accepts: (value) => isText(value) && /^[^\p{Cc}\p{Zl}\p{Zp}]{1,60}$/u.test(value),
}
export const logo: Kind = {
  wants:
    "a path on the application's own origin, such as '/logo.svg', or 'data:image/…;base64,…' of at most 65,536 characters",
  accepts: (value) => typeof value === 'string' && value.length <= LOGO_CHARACTERS && LOGO.test(value),
}
/** Hexadecimal only: the page computes the contrast from it, and no other text can enter the stylesheet. */
export const hexColor: Kind = {
  wants: "a color such as '#1d5fd0' or '#15d'",
  accepts: (value) => typeof value === 'string' && /^#(?:[0-9a-f]{3}|[0-9a-f]{6})$/i.test(value),
}
export const port: Kind = {
  wants: 'a port from 1 to 65535; for anything else set COATCHECK_BASE_URL',
  accepts: (value) => typeof value === 'string' && /^\d{1,5}$/.test(value) && inRange(Number(value), 1, 65_535),
}
export const sessionLimit: Kind = {
  wants: "a number from 1 to 10,000, or { max, action: 'end-oldest' | 'refuse' }",
  accepts: (value) => isLimitNumber(value) || (isPlainObject(value) && isLimitObject(value)),
}
/** Arktype's schemas are functions, zod's and valibot's are objects. @see https://standardschema.dev */
export const schema: Kind = {
  wants: 'a Standard Schema (zod, valibot, arktype, …)',
  accepts: (value) => {
    if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return false
    const standard = (value as { '~standard'?: { validate?: unknown } })['~standard']
    return typeof standard?.validate === 'function'
  },
}
export const upcasts: Kind = {
  wants: 'an object of functions by version: upcasts[n] turns data of version n into version n + 1',
  accepts: (value) =>
    isPlainObject(value) &&
    Object.entries(value).every(([version, fn]) => /^[1-9]\d{0,5}$/.test(version) && typeof fn === 'function'),
}
export const store: Kind = {
  wants: "the result of redisStore() of 'coatcheck/redis' or memoryStore() of 'coatcheck/memory'",
  accepts: (value) =>
    typeof value === 'object' &&
    value !== null &&
    'open' in value &&
    typeof value.open === 'function' &&
    'identity' in value,
}
export const sessionOrigin: Kind = {
  wants: "the result of connectRedis(), koaSessionStore() or jsonSessions() of 'coatcheck/migrate'",
  accepts: (value) =>
    typeof value === 'object' &&
    value !== null &&
    'attach' in value &&
    typeof value.attach === 'function' &&
    // Origins of other records, and bridges, have none.
    'libraries' in value,
}
/** An origin of `coatcheck/migrate`. @param name the name of its objects, @param factory the function that makes them */
export const origin = (name: string, factory: string): Kind => ({
  wants: `the result of ${factory}() of 'coatcheck/migrate'`,
  accepts: (value) =>
    typeof value === 'object' &&
    value !== null &&
    'attach' in value &&
    typeof value.attach === 'function' &&
    'name' in value &&
    value.name === name,
})
/** Not checked here: the options have their own root in the table. */
export const storeOptions: Kind = { wants: 'the options that redisStore() gets', accepts: isPlainObject }
export const texts: Kind = {
  wants: 'an array of texts that are not empty',
  accepts: (value) => Array.isArray(value) && value.length > 0 && value.every(isText),
}
export const clusterNodes: Kind = {
  wants: "true, false, or further nodes such as ['10.0.0.2:6379']",
  accepts: (value) => typeof value === 'boolean' || texts.accepts(value),
}
export const credentialsProvider: Kind = {
  wants: 'a credentials provider of the client library: { type, credentials } or { type, subscribe }',
  accepts: (value) =>
    typeof value === 'object' &&
    value !== null &&
    'type' in value &&
    ((value.type === 'async-credentials-provider' && 'credentials' in value) ||
      (value.type === 'streaming-credentials-provider' && 'subscribe' in value)),
}
export const redisClient: Kind = {
  wants:
    "a client of the package 'redis' 4.7, 5 or 6, as createClient(), createCluster() or createSentinel() returns it",
  accepts: (value) =>
    typeof value === 'object' && value !== null && 'sendCommand' in value && typeof value.sendCommand === 'function',
}
export const logger: Kind = {
  wants: 'a logger such as pino: an object with the methods debug, info, warn and error',
  accepts: (value) =>
    typeof value === 'object' &&
    value !== null &&
    ['debug', 'info', 'warn', 'error'].every(
      (level) => typeof (value as Record<string, unknown>)[level] === 'function',
    ),
}
export const partition: Kind = {
  wants: 'a text, a function, or a partition manager with getKey() and extractKey()',
  accepts: (value) =>
    isText(value) ||
    typeof value === 'function' ||
    (isPlainObject(value) && typeof value['getKey'] === 'function' && typeof value['extractKey'] === 'function'),
}
export const providers: Kind = {
  wants: 'an array of results of entra() and oidc()',
  accepts: (value) => Array.isArray(value) && value.every(isPlainObject),
}

function isSmallNumber(value: unknown, leastMs = LEAST_LIFETIME_NUMBER_MS): value is number {
  return typeof value === 'number' && value < leastMs
}

export function oneOf(...choices: readonly string[]): Kind {
  return { wants: choices.map((c) => `'${c}'`).join(', '), accepts: (value) => choices.includes(value as string) }
}

export function integer(min: number, max: number): Kind {
  const wants = `a whole number from ${min.toLocaleString('en')} to ${max.toLocaleString('en')}`
  return { wants, accepts: (value) => Number.isInteger(value) && inRange(value as number, min, max) }
}

export function isPlainObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isLimitNumber(value: unknown): boolean {
  return Number.isInteger(value) && inRange(value as number, 1, 10_000)
}

function isLimitObject(value: Record<string, unknown>): boolean {
  return isLimitNumber(value['max']) && (value['action'] === 'end-oldest' || value['action'] === 'refuse')
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value.trim() !== ''
}

function isGuid(value: unknown): boolean {
  return typeof value === 'string' && /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(value)
}

function isHttpUrl(value: unknown): boolean {
  if (typeof value !== 'string' || !URL.canParse(value)) return false
  const url = new URL(value)
  const isHttp = url.protocol === 'https:' || url.protocol === 'http:'
  return isHttp && url.username === '' && url.password === '' && !value.includes('?') && !value.includes('#')
}

function inRange(value: number | null, min: number, max: number): boolean {
  return value !== null && value >= min && value <= max
}
