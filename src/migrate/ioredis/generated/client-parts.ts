/** Parts of the generated file that say what a client is: its types, its options, and what ioredis kept on it. */
import type { Part } from './part.ts'

export const clientParts: readonly Part[] = [
  {
    name: 'client-types',
    exports: [],
    types: ['Redis'],
    needs: [],
    imports: { redis: ['type RedisClientType'] },
    source: `
/** A connection to one server. Replies have the shapes of RESP 2, as in ioredis. */
export type Redis = RedisClientType<__MODULES__, {}, {}, 2, {}>;

__ANY_REDIS__
`,
  },
  {
    name: 'state',
    exports: [],
    needs: ['client-types'],
    source: `
/** What ioredis kept on a client and node-redis does not. */
interface ClientState {
  /** Options that \`createRedis\` got; null for a client that was made without it. */
  options: RedisOptions | null;
  nodes: readonly ClusterNode[] | null;
  clusterOptions: ClusterOptions | null;
  status: RedisStatus;
  scripts: Map<string, RedisScript>;
  /** Confirmed by the server. */
  channels: Set<string>;
  patterns: Set<string>;
  /** Channels and patterns of the commands that were sent last: a call without names ends these. */
  sent: { channels: Set<string>; patterns: Set<string> };
  hasSubscribed: boolean;
  /** Null for a client that \`createRedis\` did not make. */
  pass: PassGate | null;
  /** Emits an event as it is. */
  emit: ((event: string) => boolean) | null;
}

/**
 * What each command of a client passes before it is sent: it connects a lazy client, rejects on a closed one, waits for the connection and
 * keeps the limits. \`values\` starts with the command and its arguments.
 */
type PassGate = (values: readonly unknown[], attempt: (abortSignal?: AbortSignal) => Promise<unknown>) => Promise<unknown>;

type RedisStatus = 'wait' | 'connecting' | 'connect' | 'ready' | 'close' | 'reconnecting' | 'end';

interface RedisScript {
  readonly lua: string;
  readonly numberOfKeys?: number | undefined;
  readonly readOnly?: boolean | undefined;
}

const STATES = Symbol.for('redis-from-ioredis');

/** Shared with other copies of this file: a package may use the client of another one. */
const states = ((globalThis as Record<symbol, unknown>)[STATES] ??= new WeakMap()) as WeakMap<object, ClientState>;

function stateOf(client: AnyRedis): ClientState {
  let state = states.get(client);
  if (!state) {
    state = {
      options: null,
      nodes: null,
      clusterOptions: null,
      status: client.isOpen ? 'ready' : 'wait',
      scripts: new Map(),
      channels: new Set(),
      patterns: new Set(),
      sent: { channels: new Set(), patterns: new Set() },
      hasSubscribed: false,
      pass: null,
      emit: null,
    };
    states.set(client, state);
  }
  return state;
}
`,
  },
  {
    name: 'option-types',
    exports: [],
    types: ['RedisOptions', 'ClusterOptions', 'ClusterNode'],
    needs: [],
    source: `
/** The options of ioredis that \`createRedis\` understands. It throws on others that would change the meaning. */
export interface RedisOptions {
  host?: string | undefined;
  port?: number | string | undefined;
  path?: string | undefined;
  /** 4 or 6: the family of IP addresses. */
  family?: number | string | undefined;
  tls?: object | undefined;
  username?: string | undefined;
  password?: string | undefined;
  db?: number | string | undefined;
  connectionName?: string | undefined;
  /** Stands in front of each key, as in ioredis. */
  keyPrefix?: string | undefined;
  /** Lua scripts by name: \`command(redis, name, …)\` runs them. */
  scripts?: Record<string, { lua: string; numberOfKeys?: number | undefined; readOnly?: boolean | undefined }> | undefined;
  lazyConnect?: boolean | undefined;
  enableOfflineQueue?: boolean | undefined;
  /** Milliseconds. */
  connectTimeout?: number | undefined;
  /** Milliseconds. */
  commandTimeout?: number | undefined;
  /** Milliseconds without data from the server. */
  socketTimeout?: number | undefined;
  /** Milliseconds before the first probe. */
  keepAlive?: number | undefined;
  noDelay?: boolean | undefined;
  /** Milliseconds to wait before the next attempt; anything else ends the client. */
  retryStrategy?: ((times: number) => number | void | null) | null | undefined;
  maxRetriesPerRequest?: number | null | undefined;
  readOnly?: boolean | undefined;
  disableClientInfo?: boolean | undefined;
  clientInfoTag?: string | undefined;
  enableReadyCheck?: boolean | undefined;
  maxLoadingRetryTime?: number | undefined;
  enableAutoPipelining?: boolean | undefined;
  autoPipeliningIgnoredCommands?: readonly string[] | undefined;
  autoResubscribe?: boolean | undefined;
  showFriendlyErrorStack?: boolean | undefined;
  protocol?: number | undefined;
}

export type ClusterNode = string | number | { host?: string | undefined; port?: number | undefined };

/** The options of an ioredis Cluster that \`createRedisCluster\` understands. It throws on any other. */
export interface ClusterOptions {
  redisOptions?: RedisOptions | undefined;
  /** 'all' is not among them: node-redis cannot mix primaries and replicas in the same way. */
  scaleReads?: 'master' | 'slave' | undefined;
  maxRedirections?: number | undefined;
  natMap?: Record<string, { host: string; port: number }> | undefined;
  lazyConnect?: boolean | undefined;
  enableReadyCheck?: boolean | undefined;
  enableAutoPipelining?: boolean | undefined;
  slotsRefreshTimeout?: number | undefined;
  slotsRefreshInterval?: number | undefined;
  showFriendlyErrorStack?: boolean | undefined;
}
`,
  },
]
