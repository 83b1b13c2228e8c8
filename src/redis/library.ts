/**
 * The subset of the official client library (majors 4, 5 and 6) that Coatcheck uses. It is typed by shape: the three majors have no type in
 * common, and an application may supply a client from its own copy. Coatcheck only sends raw commands, because typed methods differ between
 * the majors, some of them silently (`getEx` of 6 removes the TTL on 4).
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
 * Options per command, so that a user-supplied client needs no configuration for Coatcheck. `timeout: 0` disables a per-command timer of
 * major 6, which makes calls 3 to 6 times slower and does not cover a command that has been written. The rest makes replies the same on all
 * majors and both protocols: strings (`$` 36, `+` 43, `=` 61) as Buffers, maps (`%` 37) as flat arrays.
 */
export const SEND_OPTIONS = Object.freeze({
  timeout: 0,
  returnBuffers: true,
  typeMapping: Object.freeze({ 36: Buffer, 43: Buffer, 61: Buffer, 37: Array }),
})

/** Share of the connect deadline that one attempt may take. After a lost packet there must be time for a second attempt. */
const ATTEMPT_SHARE = 0.4

type CreateClient = (options: Record<string, unknown>) => RedisLibraryClient

/**
 * Creates a client that is not connected yet. Every call builds new option objects, because the library modifies them.
 * @param reconnectDelayMs called after every failed attempt; `null` ends the attempts
 * @param further options of the library for this client only
 * @throws {ConfigError} `COATCHECK_REDIS_PACKAGE_MISSING`, `COATCHECK_CONFIG_INVALID`, `COATCHECK_CONFIG_INSECURE` for a server that
 * sentinels or a cluster have named
 */
export async function createLibraryClient(
  target: RedisTarget,
  reconnectDelayMs: (retries: number) => number | null,
  further: object = {},
): Promise<RedisLibraryClient> {
  if (!target.allowsPlaintext) assertSecretsAreEncrypted([wireTo(target)], { option: 'redisStore()' })
  const { createClient, ...library } = await loadLibrary()
  const { address, tls, username, password, credentialsProvider, database } = target
  // Major 4 would ignore the provider and connect without credentials.
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
    // A server that does not know the command replies with an error, which would appear in the operator's monitoring.
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
    // A string literal, so that bundlers and file tracing find it.
    return await import('redis')
  } catch (cause) {
    throw new ConfigError('COATCHECK_REDIS_PACKAGE_MISSING', { cause })
  }
}

/**
 * Closes the connection of a client that Coatcheck owns, never gracefully. The graceful close does not return while a server hangs. On
 * major 4 the client then cannot be closed any more, so that a late reply finds no pending command and ends the process.
 * @param hasSocket false while TCP is being connected: a client that is closed then still connects and stays open, so the close waits for
 * the socket. Failed attempts end by the reconnect strategy.
 */
export function cutClient(client: RedisLibraryClient, hasSocket: boolean): void {
  if (hasSocket) cut(client)
  // Deferred, not inside the event: major 4 would then write its handshake to a closed socket and cause an unhandled rejection.
  else client.on('connect', () => setImmediate(() => cut(client)))
}

function cut(client: RedisLibraryClient): void {
  // A client that is already closed throws or rejects.
  void (async () => (client.destroy ? client.destroy() : await client.disconnect?.()))().catch(() => undefined)
}
