/**
 * Decides where `redisStore()` connects and with which credentials, from its options and the environment. No message shows a URL or a
 * password.
 */
import { type Environment, variable } from '../config/environment.ts'
import { missing, refuse, type Source } from '../config/refusal.ts'
import { settingOf } from '../config/settings.ts'
import type { SuppliedClient } from './supplied-client.ts'
import { limitsOf, type RedisConnectionOptions } from './options.ts'
import { allowsPlaintext, assertSecretsAreEncrypted, type Wire, wiresOfClient, wireTo } from './plaintext.ts'
import { parseNode, parseRedisUrl, type RedisAddress, type RedisUrl } from './redis-url.ts'
import { resolveTls } from './resolve-tls.ts'
import type { Destination, RedisAccess } from './target.ts'

const ROOT = 'redisStore()'
const CLUSTER_PORT = 6379
const SENTINEL_PORT = 26_379

/**
 * Returns the user-supplied client, or the destination for a new one.
 * @throws {ConfigError} `COATCHECK_CONFIG_MISSING`, `COATCHECK_CONFIG_INVALID`, `COATCHECK_CONFIG_INSECURE` for a password that would leave
 * this machine without TLS
 */
export function destinationOf(options: RedisConnectionOptions, env: Environment): Destination | SuppliedClient {
  if (options.client === undefined) return resolveDestination(options, env)
  if (!allowsPlaintext(options.allowPlaintext, env)) {
    assertSecretsAreEncrypted(wiresOfClient(options.client), { option: `${ROOT}.client` })
  }
  return options.client
}

/** Like `destinationOf`, without a user-supplied client. */
export function resolveDestination(options: RedisConnectionOptions, env: Environment): Destination {
  const destination = readDestination(options, env)
  if (!allowsPlaintext(options.allowPlaintext, env)) {
    const source: Source = options.url === undefined ? { variable: 'REDIS_URL' } : { option: `${ROOT}.url` }
    const { kind } = destination
    const bySentinels: Source = options.sentinels ? { option: `${ROOT}.sentinels` } : { variable: 'REDIS_SENTINELS' }
    assertSecretsAreEncrypted(wiresOf(destination), kind === 'sentinel' ? bySentinels : source)
  }
  return destination
}

/**
 * The primaries behind sentinels are not known yet. They are where their sentinels are, or farther away. `library.ts` checks each server
 * again that sentinels or a cluster name.
 */
function wiresOf(to: Destination): readonly Wire[] {
  switch (to.kind) {
    case 'single':
      return [wireTo(to.target)]
    case 'cluster':
      return to.target.nodes.map((address) => wireTo({ ...to.target.access, address }))
    case 'sentinel':
      return to.target.sentinels.flatMap((sentinel) => [
        wireTo(sentinel),
        wireTo({ ...to.target.access, address: sentinel.address }),
      ])
  }
}

function readDestination(options: RedisConnectionOptions, env: Environment): Destination {
  const text = options.url ?? variable(env, 'REDIS_URL')
  if (text === undefined) throw missing(settingOf(ROOT, 'url'))
  const source: Source = options.url === undefined ? { variable: 'REDIS_URL' } : { option: `${ROOT}.url` }
  const url = parseRedisUrl(text, source)
  const access = resolveAccess(options, env, url, source)
  const sentinels = resolveSentinels(options, env)
  const nodes = resolveNodes(options, env)
  if (nodes !== null) {
    if (sentinels !== null) throw refuse(sentinels.source, 'does not go together with REDIS_CLUSTER')
    if (url.database !== 0) throw refuse(source, 'names a database, and a cluster has only database 0')
    if ('path' in url.address) throw refuse(source, 'names a socket, and nodes of a cluster have addresses')
    return { kind: 'cluster', target: { access, nodes: [url.address, ...nodes] } }
  }
  if (sentinels === null) return { kind: 'single', target: { ...access, address: url.address } }
  if ('path' in url.address || url.hasPort) {
    throw refuse(source, 'wants the name of the primary for its host and no port, such as redis://mymaster')
  }
  const targets = sentinels.nodes.map((node) => {
    const own = parseNode(node, sentinels.source, SENTINEL_PORT)
    const ownAccess = {
      ...access,
      username: own.username,
      password: own.password,
      credentialsProvider: null,
      database: 0,
    }
    return { ...ownAccess, tls: resolveTls(options.tls, env, own, ROOT), address: own.address }
  })
  // The name of the primary is not a host name, so the certificate cannot be checked against it.
  const tls = access.tls && { ...access.tls, servername: options.tls?.servername ?? null }
  return { kind: 'sentinel', target: { access: { ...access, tls }, name: url.address.host, sentinels: targets } }
}

function resolveAccess(options: RedisConnectionOptions, env: Environment, url: RedisUrl, source: Source): RedisAccess {
  const provider = options.credentialsProvider ?? null
  const username = options.username ?? url.username ?? variable(env, 'REDIS_USERNAME') ?? null
  const password = options.password ?? url.password ?? variable(env, 'REDIS_PASSWORD') ?? null
  if (username !== null && password === null && provider === null) {
    throw refuse(source, 'a user name comes without a password')
  }
  return {
    tls: resolveTls(options.tls, env, url, ROOT),
    username: provider === null ? username : null,
    password: provider === null ? password : null,
    credentialsProvider: provider,
    database: url.database,
    connectTimeoutMs: limitsOf(options, env).connectTimeoutMs,
    allowsPlaintext: allowsPlaintext(options.allowPlaintext, env),
  }
}

interface Named {
  readonly nodes: readonly string[]
  readonly source: Source
}

function resolveSentinels(options: RedisConnectionOptions, env: Environment): Named | null {
  if (options.sentinels !== undefined) return { nodes: options.sentinels, source: { option: `${ROOT}.sentinels` } }
  const text = variable(env, 'REDIS_SENTINELS')
  if (text === undefined || options.cluster !== undefined) return null
  return { nodes: listed(text), source: { variable: 'REDIS_SENTINELS' } }
}

/** `null`: no cluster. */
function resolveNodes({ cluster }: RedisConnectionOptions, env: Environment): readonly RedisAddress[] | null {
  if (cluster === false) return null
  if (cluster === true) return []
  const text = cluster === undefined ? variable(env, 'REDIS_CLUSTER') : undefined
  if (cluster === undefined && (text === undefined || text === 'false')) return null
  if (text === 'true') return []
  const source: Source = cluster === undefined ? { variable: 'REDIS_CLUSTER' } : { option: `${ROOT}.cluster` }
  return (cluster ?? listed(text ?? '')).map((node) => {
    const { address, username, password } = parseNode(node, source, CLUSTER_PORT)
    if (username !== null || password !== null) throw refuse(source, 'takes host:port; the password stands in the URL')
    return address
  })
}

function listed(text: string): string[] {
  return text.split(',').map((one) => one.trim())
}
