/**
 * The options of `redisStore()` and what they mean together with the environment. Options win over the URL, the URL wins
 * over `REDIS_USERNAME` and `REDIS_PASSWORD`, which only fill in what it leaves out. No message shows a URL or a password.
 */
import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { type Environment, variable } from '../config/environment.ts'
import { missing, refuse, type Source } from '../config/refusal.ts'
import { settingOf } from '../config/settings.ts'
import { checkShape } from '../config/shape.ts'
import { WRITE_TIMEOUT_MS } from './client-port.ts'
import type { RedisLibraryClient } from './library.ts'
import { parseRedisUrl, type RedisAddress } from './redis-url.ts'
import type { RedisTarget } from './target.ts'

const ROOT = 'redisStore()'
const DEFAULT_COMMAND_TIMEOUT_MS = 250
const DEFAULT_CONNECT_TIMEOUT_MS = 5000
const DEFAULT_MAX_IN_FLIGHT = 10_000

export interface RedisStoreOptions {
  /** `REDIS_URL`: `redis://[user:password@]host[:6379][/database]`, `rediss://…` for TLS, `unix:///path[?db=1]`. */
  readonly url?: string | undefined
  /**
   * A client of the package `redis` 4.7, 5 or 6 instead of a URL. It stays yours: it is connected if it is not, gets an
   * error listener, and is never closed here.
   */
  readonly client?: RedisLibraryClient | undefined
  /** `REDIS_USERNAME`, when the URL has none. */
  readonly username?: string | undefined
  /** `REDIS_PASSWORD`, when the URL has none. */
  readonly password?: string | undefined
  readonly tls?: RedisTlsOptions | undefined
  /** A read in a request. Default 250. */
  readonly commandTimeoutMs?: number | undefined
  /** A change, which the server does not execute later, and a step of a sign-in. Default 1,000. */
  readonly writeTimeoutMs?: number | undefined
  /** Until `ready()` says why there is no connection. Default 5,000. */
  readonly connectTimeoutMs?: number | undefined
  /** Operations that wait for an answer at the same time. Default 10,000. */
  readonly maxInFlight?: number | undefined
}

/** Only with `rediss://`. The certificate is always verified. */
export interface RedisTlsOptions {
  /** `REDIS_TLS_CA`: certificates in PEM, or the path of a file that holds them. Default: those of Node. */
  readonly ca?: string | undefined
  /** The name in the server's certificate, when it is not the host of the URL. */
  readonly servername?: string | undefined
}

export interface RedisLimits {
  readonly commandTimeoutMs: number
  readonly writeTimeoutMs: number
  readonly connectTimeoutMs: number
  readonly maxInFlight: number
}

export function limitsOf(options: RedisStoreOptions): RedisLimits {
  return {
    commandTimeoutMs: options.commandTimeoutMs ?? DEFAULT_COMMAND_TIMEOUT_MS,
    writeTimeoutMs: options.writeTimeoutMs ?? WRITE_TIMEOUT_MS,
    connectTimeoutMs: options.connectTimeoutMs ?? DEFAULT_CONNECT_TIMEOUT_MS,
    maxInFlight: options.maxInFlight ?? DEFAULT_MAX_IN_FLIGHT,
  }
}

/**
 * What can be said without the environment.
 * @throws {ConfigError} `COATCHECK_CONFIG_UNKNOWN_OPTION`, `COATCHECK_CONFIG_INVALID`
 */
export function checkRedisOptions(options: RedisStoreOptions): void {
  checkShape(ROOT, options)
  if (options.client !== undefined) {
    for (const name of ['url', 'username', 'password', 'tls'] as const) {
      if (options[name] !== undefined) throw refuse({ option: `${ROOT}.${name}` }, 'does not go together with client')
    }
  }
  if (options.url !== undefined) parseRedisUrl(options.url, { option: `${ROOT}.url` })
}

/** @throws {ConfigError} `COATCHECK_CONFIG_MISSING`, `COATCHECK_CONFIG_INVALID` */
export function resolveTarget(options: RedisStoreOptions, env: Environment): RedisTarget {
  const text = options.url ?? variable(env, 'REDIS_URL')
  if (text === undefined) throw missing(settingOf(ROOT, 'url'))
  const source: Source = options.url === undefined ? { variable: 'REDIS_URL' } : { option: `${ROOT}.url` }
  const url = parseRedisUrl(text, source)
  const username = options.username ?? url.username ?? variable(env, 'REDIS_USERNAME') ?? null
  const password = options.password ?? url.password ?? variable(env, 'REDIS_PASSWORD') ?? null
  if (username !== null && password === null) throw refuse(source, 'a user name comes without a password')
  return {
    address: url.address,
    tls: resolveTls(options.tls, env, url),
    username,
    password,
    database: url.database,
    connectTimeoutMs: limitsOf(options).connectTimeoutMs,
  }
}

function resolveTls(
  options: RedisTlsOptions | undefined,
  env: Environment,
  { tls, address }: { readonly tls: boolean; readonly address: RedisAddress },
): RedisTarget['tls'] {
  const fromOption = options?.ca
  const given = fromOption ?? variable(env, 'REDIS_TLS_CA')
  const source: Source = fromOption === undefined ? { variable: 'REDIS_TLS_CA' } : { option: `${ROOT}.tls.ca` }
  if (!tls || 'path' in address) {
    // Somebody believes in TLS here; a plain connection would prove them wrong in silence.
    if (given !== undefined) throw refuse(source, 'is for TLS, and the URL does not begin with rediss://')
    if (options) throw refuse({ option: `${ROOT}.tls` }, 'is for TLS, and the URL does not begin with rediss://')
    return null
  }
  const servername = options?.servername ?? (isIP(address.host) === 0 ? address.host : null)
  return { ca: given === undefined ? null : readCertificates(given, source), servername }
}

function readCertificates(given: string, source: Source): string {
  const pem = given.includes('-----BEGIN') ? given.replaceAll('\\n', '\n') : readFile(given, source)
  try {
    new X509Certificate(pem)
  } catch {
    throw refuse(source, 'holds no certificate in PEM form (-----BEGIN CERTIFICATE-----)')
  }
  return pem
}

function readFile(path: string, source: Source): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw refuse(source, `the file cannot be read (${code ?? 'unknown error'})`)
  }
}
