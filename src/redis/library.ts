/**
 * The official client library, majors 4, 5 and 6, as far as it is used: typed by shape, because the three have no type in
 * common and because an application may hand in a client of its own copy. Only raw commands are sent: typed methods differ
 * between the majors, some of them silently (a `getEx` of 6 removes the TTL on 4).
 */
import { refuse } from '../config/refusal.ts'
import { ConfigError } from '../core/errors.ts'
import type { RedisArgument } from './client-port.ts'
import { assertSecretsAreEncrypted, wireTo } from './plaintext.ts'
import { forOneClient } from './streamed-credentials.ts'
import type { RedisTarget } from './target.ts'

/** What this package uses of a client of `redis`. */
export interface RedisLibraryClient {
  /** Whether `connect()` was called and the client was not closed. */
  readonly isOpen: boolean
  /** Whether the connection stands. */
  readonly isReady: boolean
  /** Connects. */
  connect(): Promise<unknown>
  /** Subscribes to an event of the client. */
  on(event: string, listener: (...args: unknown[]) => void): unknown
  /** Sends a command. */
  sendCommand(args: readonly RedisArgument[], options?: object): Promise<unknown>
  /** A client of the same settings, not connected. */
  // Each major has its own type for the options.
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  duplicate?(overrides?: any): RedisLibraryClient
  /** Subscribes to a channel. */
  subscribe?(channel: string, listener: () => void): Promise<unknown>
  /** Unsubscribes from a channel. */
  unsubscribe?(channel: string, listener: () => void): Promise<unknown>
  /** Majors 5 and 6. */
  destroy?(): unknown
  /** Major 4. */
  disconnect?(): unknown
}

/**
 * Per command, so that a user-supplied client needs no configuration for Coatcheck. `timeout: 0` switches off a timer per command of
 * major 6 that costs 3 to 6 times the speed and does not cover a command that has been written. The rest makes replies the
 * same on all majors and both protocols: strings (`$` 36, `+` 43, `=` 61) as Buffers, maps (`%` 37) as flat arrays.
 */
export const SEND_OPTIONS = Object.freeze({
  timeout: 0,
  returnBuffers: true,
  typeMapping: Object.freeze({ 36: Buffer, 43: Buffer, 61: Buffer, 37: Array }),
})

/** Of the connect deadline, what one attempt may take: a lost packet must leave time for a second one. */
const ATTEMPT_SHARE = 0.4

type CreateClient = (options: Record<string, unknown>) => RedisLibraryClient

/**
 * A client that is not connected yet. Every call builds new option objects, since the library writes into them.
 * @param reconnectDelayMs asked after every failed attempt; `null` ends the attempts.
 * @param further options of the library that are for this one only
 * @throws {ConfigError} `COATCHECK_REDIS_PACKAGE_MISSING`, `COATCHECK_CONFIG_INVALID`, `COATCHECK_CONFIG_INSECURE` for a server that
 *   sentinels or a cluster have named
 */
export async function createLibraryClient(
  target: RedisTarget,
  reconnectDelayMs: (retries: number) => number | null,
  further: object = {},
): Promise<RedisLibraryClient> {
  if (!target.allowsPlaintext) assertSecretsAreEncrypted([wireTo(target)], { option: 'redisStore()' })
  const { createClient, ...library } = await loadLibrary()
  const { address, tls, username, password, credentialsProvider, database } = target
  // Major 4 would ignore it and connect as nobody.
  if (credentialsProvider !== null && library.RESP_TYPES === undefined) {
    throw refuse({ option: 'redisStore().credentialsProvider' }, "wants the package 'redis' in version 5 or 6")
  }
  return createClient({
    socket: {
      ...('path' in address ? { path: address.path } : { host: address.host, port: address.port }),
      ...(tls && { tls: true, ...definedOnly(tls) }),
      connectTimeout: Math.ceil(target.connectTimeoutMs * ATTEMPT_SHARE),
      reconnectStrategy: (retries: number) => reconnectDelayMs(retries) ?? new Error('closed'),
    },
    ...(username !== null && { username }),
    ...(password !== null && { password }),
    ...(credentialsProvider !== null && { credentialsProvider: forOneClient(credentialsProvider) }),
    database,
    clientInfoTag: 'coatcheck',
    // A server that does not know the command answers with an error, which then stands in everybody's monitoring.
    maintNotifications: 'disabled',
    commandOptions: { timeout: 0 },
    ...further,
  })
}

function definedOnly(options: object): object {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== null))
}

interface Library {
  readonly createClient: CreateClient
  /** Majors 5 and 6. */
  readonly RESP_TYPES?: object
}

async function loadLibrary(): Promise<Library> {
  try {
    // Literally, so that bundlers and file tracing see it.
    return await import('redis')
  } catch (cause) {
    throw new ConfigError('COATCHECK_REDIS_PACKAGE_MISSING', { cause })
  }
}

/**
 * Cuts the connection of a client of ours. Never its graceful close: that does not return while a server hangs, and on major 4
 * it then cannot be cut any more, so that a late answer finds nobody waiting and ends the process.
 * @param hasSocket false while TCP is being connected: a client that is cut then connects nevertheless and stays, so the cut
 *   waits for the socket. Failed attempts end by the reconnect strategy.
 */
export function cutClient(client: RedisLibraryClient, hasSocket: boolean): void {
  if (hasSocket) cut(client)
  // Not inside the event: major 4 would then write its handshake into nothing and reject it unheard.
  else client.on('connect', () => setImmediate(() => cut(client)))
}

function cut(client: RedisLibraryClient): void {
  // One that is closed already says so by an error, at once or by a promise.
  void (async () => (client.destroy ? client.destroy() : await client.disconnect?.()))().catch(() => undefined)
}
