/**
 * The rule about passwords on the wire: no password leaves this machine without TLS, unless the operator allows it. A private network is no
 * exception. An attacker who can read its packets can read the password and then every key.
 */
import { isIP } from 'node:net'
import { type Environment, variable } from '../config/environment.ts'
import { refuse, type Source } from '../config/refusal.ts'
import { ConfigError } from '../core/errors.ts'
import { isLocalAddress } from '../core/local-address.ts'
import type { RedisAddress } from './redis-url.ts'
import type { RedisTarget } from './target.ts'

const VARIABLE = 'REDIS_ALLOW_PLAINTEXT'
const DEFAULT_PORT = 6379

/** How to reach one server, whether through Coatcheck's URL or a user-supplied client. */
export interface Wire {
  readonly address: RedisAddress
  readonly tls: boolean
  /** True for a password or a provider of passwords. */
  readonly hasSecret: boolean
  /** Number of the database. */
  readonly database: number
}

/** @throws {ConfigError} `COATCHECK_CONFIG_INVALID` for a variable that is neither true nor false */
export function allowsPlaintext(option: boolean | undefined, env: Environment): boolean {
  const text = option === undefined ? variable(env, VARIABLE) : undefined
  if (text === undefined) return option === true
  if (text !== 'true' && text !== 'false') {
    throw refuse({ variable: VARIABLE }, 'wants true or false', { fix: `Set ${VARIABLE} to true or false.` })
  }
  return text === 'true'
}

export function wireTo({ address, tls, password, credentialsProvider, database }: RedisTarget): Wire {
  return { address, tls: tls !== null, hasSecret: password !== null || credentialsProvider !== null, database }
}

/**
 * Loopback addresses, `localhost` and unix sockets do not leave the machine. Names below `localhost` may: many resolvers send them to DNS,
 * unlike browsers (`isLoopbackHost`).
 */
export function leavesMachine(address: RedisAddress): boolean {
  if ('path' in address) return false
  const { host } = address
  return isIP(host) === 0 ? host.toLowerCase() !== 'localhost' : !isLocalAddress(host, [])
}

/** @throws {ConfigError} `COATCHECK_CONFIG_INSECURE` */
export function assertSecretsAreEncrypted(wires: readonly Wire[], source: Source): void {
  const exposed = wires.find(({ address, tls, hasSecret }) => hasSecret && !tls && leavesMachine(address))
  if (exposed === undefined || 'path' in exposed.address) return
  const name = 'variable' in source ? `Environment variable ${source.variable}` : `Option ${source.option}`
  throw new ConfigError('COATCHECK_CONFIG_INSECURE', {
    message: `${name} sends a password to ${exposed.address.host} without TLS.`,
    why: 'Everything that can read the network between here and Redis could read the password, also in a private network.',
    fix: `Use rediss:// and a server with TLS. If something else encrypts this connection, set ${VARIABLE}=true or redisStore({ allowPlaintext: true }).`,
    details: { ...source, host: exposed.address.host },
  })
}

/**
 * Reads the connection options of a user-supplied client. Clusters and sentinels of major 5 and later hide their options. For them the
 * result is one connection to the default address, without a password.
 */
export function wiresOfClient(client: object): readonly Wire[] {
  const { options, _options } = client as { options?: unknown; _options?: unknown }
  const all = fieldsOf(options ?? _options)
  const shared = fieldsOf(all['defaults'] ?? all['nodeClientOptions'])
  const roots = all['rootNodes'] ?? all['sentinelRootNodes'] ?? [all]
  return Array.isArray(roots) ? roots.map((root: unknown) => wireOf(fieldsOf(root), shared)) : []
}

type Fields = Readonly<Record<string, unknown>>

function wireOf(own: Fields, shared: Fields): Wire {
  const socket: Fields = { ...fieldsOf(shared['socket']), ...fieldsOf(own['socket']) }
  const text = own['url'] ?? shared['url']
  const url = typeof text === 'string' && URL.canParse(text) ? new URL(text) : null
  const host = socket['host'] ?? own['host'] ?? url?.hostname.replace(/^\[|\]$/g, '')
  const { path } = socket
  const port = Number(socket['port'] ?? own['port'] ?? (url?.port || DEFAULT_PORT))
  return {
    address:
      typeof path === 'string'
        ? { path }
        : { host: typeof host === 'string' && host !== '' ? host : 'localhost', port },
    tls: (socket['tls'] !== undefined && socket['tls'] !== false) || url?.protocol === 'rediss:',
    hasSecret:
      [own, shared].some((one) => isSet(one['password']) || isSet(one['credentialsProvider'])) || isSet(url?.password),
    database: Number(own['database'] ?? shared['database'] ?? url?.pathname.slice(1)) || 0,
  }
}

function isSet(value: unknown): boolean {
  return value !== undefined && value !== null && value !== ''
}

function fieldsOf(value: unknown): Fields {
  return typeof value === 'object' && value !== null ? (value as Fields) : {}
}
