/**
 * Clients that the application created and passed in: one server, a cluster or a sentinel. The library gives each kind a different
 * `sendCommand`. This module gives all of them the one of a single server.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { RedisError } from '../core/errors.ts'
import type { RedisArgument, RedisReply, ServerPort } from './client-port.ts'
import { type RedisLibraryClient, SEND_OPTIONS } from './library.ts'

/** The interface that the three kinds have in common. */
interface AnyClient {
  /** Whether `connect()` was called and the client was not closed since. */
  readonly isOpen: boolean
  /** Listens to a channel. */
  // Listeners take one argument more in some majors.
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  subscribe(channel: string, listener: any): Promise<unknown>
  /** Stops listening to a channel. */
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  unsubscribe(channel: string, listener: any): Promise<unknown>
  /** Whether commands can be sent. Absent in clusters of major 4. */
  readonly isReady?: boolean
  /** Connects. */
  connect(): Promise<unknown>
  /** Listens to an event of the client. */
  on(event: string, listener: (...args: unknown[]) => void): unknown
}

/** Of `createCluster`. */
export interface RedisLibraryCluster extends AnyClient {
  /** Primaries that the client knows. */
  readonly masters: readonly {
    /** `host:port` of the primary. */
    readonly address: string
  }[]
  /** Sends a command to the node of a key. */
  sendCommand(
    firstKey: RedisArgument | undefined,
    isReadonly: boolean | undefined,
    args: readonly RedisArgument[],
    options?: object,
  ): Promise<unknown>
  /** Returns the client of one node. */
  // Each major has its own type for nodes.
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  nodeClient(node: any): unknown
}

/** Of `createSentinel`, majors 5 and 6. */
export interface RedisLibrarySentinel extends AnyClient {
  /** Sends a command to the current primary. */
  sendCommand(isReadonly: boolean | undefined, args: readonly RedisArgument[], options?: object): Promise<unknown>
  /** Returns what the client knows about the current primary. */
  getMasterNode(): unknown
}

/** A client of the `redis` package that the application created. */
export type SuppliedClient = RedisLibraryClient | RedisLibraryCluster | RedisLibrarySentinel

export function isCluster(client: SuppliedClient): client is RedisLibraryCluster {
  return 'nodeClient' in client
}

function isSentinel(client: SuppliedClient): client is RedisLibrarySentinel {
  return 'getMasterNode' in client
}

export function isOneServer(client: SuppliedClient): boolean {
  return !isCluster(client) && !isSentinel(client)
}

/** Closes a client that no other code uses, never gracefully: the graceful close does not return while a server hangs. */
export function cutSuppliedClient(client: SuppliedClient): void {
  const { destroy, disconnect } = client as Pick<RedisLibraryClient, 'destroy' | 'disconnect'>
  // A client that is already closed throws or rejects.
  void (async () => (destroy ? destroy.call(client) : await disconnect?.call(client)))().catch(() => undefined)
}

/** Wraps the client in the interface of a client for one server. */
export function asLibraryClient(client: SuppliedClient): RedisLibraryClient {
  if (isCluster(client)) {
    return wrapped(client, (args, options) => client.sendCommand(firstKeyOf(args), undefined, args, options))
  }
  // Never a replica: these reads decide who is signed in.
  if (isSentinel(client)) return wrapped(client, (args, options) => client.sendCommand(false, args, options))
  return client
}

/** The masters of a cluster, one by one, for scans over all of them. */
export function mastersOf(cluster: RedisLibraryCluster, deadlineMs: number): readonly ServerPort[] {
  return cluster.masters.map((node) => ({
    endpoint: node.address,
    async command(_key, args) {
      const client = (await cluster.nodeClient(node)) as RedisLibraryClient
      const reply = client.sendCommand(args, SEND_OPTIONS) as Promise<RedisReply>
      const late = sleep(deadlineMs, null, { ref: false }).then(() => {
        throw new RedisError('COATCHECK_REDIS_TIMEOUT')
      })
      return Promise.race([reply, late])
    },
  }))
}

function wrapped(client: AnyClient, sendCommand: RedisLibraryClient['sendCommand']): RedisLibraryClient {
  const heard = new Map<string, ((...args: unknown[]) => void)[]>()
  return {
    get isOpen() {
      return client.isOpen
    },
    // A cluster of major 4 has no `isReady`.
    get isReady() {
      return client.isReady ?? client.isOpen
    },
    on(event, listener) {
      heard.set(event, [...(heard.get(event) ?? []), listener])
      return client.on(event, listener)
    },
    sendCommand,
    // A cluster subscribes on its own connections. It has no way to open another connection to one specific server.
    duplicate: (options?: object) => {
      if (options !== undefined) throw new RedisError('COATCHECK_REDIS_PROTOCOL')
      return {
        isOpen: true,
        isReady: true,
        connect: () => Promise.resolve(),
        on: () => undefined,
        sendCommand,
        subscribe: (channel, listener) => client.subscribe(channel, listener),
        unsubscribe: (channel, listener) => client.unsubscribe(channel, listener),
        destroy: () => undefined,
      }
    },
    async connect() {
      await client.connect()
      // A cluster emits no `ready` event.
      for (const listener of heard.get('ready') ?? []) listener()
    },
  }
}

const WITHOUT_KEY = /^(?:PING|TIME|ROLE|INFO|SCAN|CLUSTER|CLIENT)$/
const KEY_OF_SCRIPT = 3

function firstKeyOf(args: readonly RedisArgument[]): RedisArgument | undefined {
  const [name] = args
  if (name === 'EVALSHA' || name === 'EVAL') return args[KEY_OF_SCRIPT]
  return WITHOUT_KEY.test(String(name)) ? undefined : args[1]
}
