/** Parts of the generated file that make, end and describe connections. */
import type { Part } from './part.ts'

export const connectionParts: readonly Part[] = [
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
  channels: Set<string>;
  patterns: Set<string>;
}

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
  {
    name: 'create-redis',
    exports: ['createRedis'],
    needs: ['client-types', 'state', 'option-types', 'client-behavior'],
    imports: { redis: ['createClient'] },
    source: `
/**
 * Opens a connection with the arguments of \`new Redis()\`: port, host, path or URL, and options. As in ioredis, it connects in the
 * background, and commands wait until it is ready.
 */
export function createRedis(...values: readonly (string | number | RedisOptions | null | undefined)[]): Redis;
export function createRedis(...values: readonly unknown[]): Redis;
export function createRedis(...values: readonly unknown[]): Redis {
  const options = readArguments(values);
  const client: Redis = createClient(clientOptions(options));
  stateOf(client).options = options;
  behaveLikeIoredis(client, options);
  if (options.lazyConnect !== true) client.connect().catch(() => undefined);
  return client;
}

/** What the arguments of \`new Redis()\` say. Of two values, the earlier argument wins, as in ioredis. */
function readArguments(values: readonly unknown[]): RedisOptions {
  const options: Record<string, unknown> = {};
  for (const value of values) {
    if (value === null || value === undefined) continue;
    addMissing(options, readArgument(value));
  }
  // A tls option of a later argument wins over the protocol of the URL.
  if (values.some((value) => typeof value === 'string' && /^rediss:/i.test(value))) addMissing(options, { tls: true });
  return options as RedisOptions;
}

function readArgument(value: unknown): object {
  if (typeof value === 'object') return value as object;
  if (typeof value === 'number') return { port: value };
  if (typeof value !== 'string') throw new TypeError(\`createRedis: unknown argument \${String(value)}\`);
  return /^\\d+$/.test(value) ? { port: Number(value) } : readUrl(value);
}

function addMissing(options: Record<string, unknown>, more: object): void {
  for (const [name, value] of Object.entries(more)) {
    if (options[name] === undefined) options[name] = value;
  }
}

const QUERY_OPTIONS = new Set(['family', 'db', 'connectionName', 'keyPrefix', 'username', 'password', 'host', 'port']);

/** \`redis://user:password@host:port/db?family=6\`, \`host:port\`, or the path of a socket. */
function readUrl(text: string): object {
  if (text.startsWith('/') && !text.startsWith('//')) {
    const [path, query] = text.split('?', 2);
    return { path, ...Object.fromEntries(new URLSearchParams(query ?? '')) };
  }
  const hasProtocol = /^rediss?:\\/\\//i.test(text);
  const url = new URL(hasProtocol ? text : text.startsWith('//') ? \`redis:\${text}\` : \`redis://\${text}\`);
  const options: Record<string, unknown> = {};
  if (url.username !== '' || url.password !== '') {
    options['username'] = decodeURIComponent(url.username);
    options['password'] = decodeURIComponent(url.password);
  }
  if (url.pathname.length > 1) {
    if (hasProtocol || text.startsWith('//')) options['db'] = url.pathname.slice(1);
    else options['path'] = url.pathname;
  }
  if (url.hostname !== '') options['host'] = url.hostname.replace(/^\\[|\\]$/g, '');
  if (url.port !== '') options['port'] = Number(url.port);
  for (const name of url.searchParams.keys()) {
    // Everything in a query is text, where the option wants a number or a boolean.
    if (!QUERY_OPTIONS.has(name)) throw new TypeError(\`createRedis: write the option "\${name}" of the URL as an option of the code.\`);
  }
  addMissing(options, Object.fromEntries(url.searchParams));
  return options;
}
`,
  },
  {
    name: 'create-cluster',
    exports: ['createRedisCluster'],
    needs: ['client-types', 'state', 'option-types', 'client-behavior', 'create-redis'],
    imports: { redis: ['createCluster'] },
    source: `
const CLUSTER_OPTIONS = new Set([
  'redisOptions', 'scaleReads', 'maxRedirections', 'natMap', 'lazyConnect', 'enableReadyCheck', 'enableAutoPipelining', 'slotsRefreshTimeout',
  'slotsRefreshInterval', 'showFriendlyErrorStack',
]);

/** Opens a cluster with the arguments of \`new Redis.Cluster()\`. It connects in the background. */
export function createRedisCluster(nodes: readonly ClusterNode[], options: ClusterOptions = {}): Cluster {
  for (const [name, value] of Object.entries(options)) {
    if (value !== undefined && !CLUSTER_OPTIONS.has(name)) {
      throw new TypeError(\`The ioredis option "\${name}" has no counterpart in node-redis. Remove it, or write this cluster by hand.\`);
    }
  }
  if (options.scaleReads !== undefined && options.scaleReads !== 'master' && options.scaleReads !== 'slave') {
    throw new TypeError('scaleReads must be "master" or "slave".');
  }
  const { RESP: _resp, ...defaults } = clientOptions(options.redisOptions ?? {});
  const { host: _host, port: _port, ...socket } = defaults.socket as Record<string, unknown>;
  const cluster: Cluster = createCluster({
    RESP: 2,
    rootNodes: nodes.map((node) => {
      const { host, port } = readArgument(node) as RedisOptions;
      return { socket: { host: host ?? '127.0.0.1', port: Number(port ?? 6379) } };
    }),
    defaults: { ...defaults, socket },
    useReplicas: options.scaleReads === 'slave',
    ...(options.maxRedirections === undefined ? {} : { maxCommandRedirections: options.maxRedirections }),
    ...(options.natMap === undefined ? {} : { nodeAddressMap: options.natMap }),
  });
  const state = stateOf(cluster);
  state.nodes = nodes;
  state.clusterOptions = options;
  state.status = 'connecting';
  cluster.on('error', (error: Error) => {
    if (cluster.listenerCount('error') === 1) console.error('[redis] Unhandled error event:', error.stack ?? error);
  });
  if (options.lazyConnect === true) state.status = 'wait';
  else openCluster(cluster).catch(() => undefined);
  return cluster;
}

const opening = new WeakMap<Cluster, Promise<void>>();

/** Connects once; \`command\` waits for it, since node-redis has no queue before a cluster is connected. */
function openCluster(cluster: Cluster): Promise<void> {
  let open = opening.get(cluster);
  if (!open) {
    open = cluster.connect().then(
      () => {
        stateOf(cluster).status = 'ready';
        cluster.emit('ready');
      },
      (error: unknown) => {
        stateOf(cluster).status = 'end';
        cluster.emit('error', error);
        throw error;
      },
    );
    opening.set(cluster, open);
  }
  return open;
}
`,
  },
  {
    name: 'connect',
    exports: ['connectRedis'],
    needs: ['client-types', 'state'],
    source: `
/** \`redis.connect()\` of ioredis: resolves when the connection is ready, rejects if the first attempt fails. Attempts then go on. */
export async function connectRedis(client: Redis): Promise<void> {
  const state = stateOf(client);
  if (state.status !== 'wait' && state.status !== 'end' && state.status !== 'close') throw new Error('Redis is already connecting/connected');
  state.status = 'connecting';
  await new Promise<void>((resolve, reject) => {
    const ready = (): void => {
      client.off('error', failed);
      resolve();
    };
    const failed = (): void => {
      client.off('ready', ready);
      reject(new Error('Connection is closed.'));
    };
    client.once('ready', ready);
    client.once('error', failed);
    client.connect().catch(() => undefined);
  });
}
`,
  },
  {
    name: 'quit',
    exports: ['quitRedis'],
    needs: ['client-types', 'state'],
    source: `
/** \`redis.quit()\` of ioredis: waits for the commands that were sent, then closes. */
export async function quitRedis(client: AnyRedis): Promise<'OK'> {
  const state = stateOf(client);
  if (state.status === 'wait') {
    state.status = 'end';
    return 'OK';
  }
  if (!client.isOpen) throw new Error('Connection is closed.');
  if (state.status === 'ready' || !('isReady' in client)) await client.close();
  else {
    await (client as Redis).sendCommand(['PING']).catch(() => undefined);
    if (client.isOpen) await client.close();
  }
  return 'OK';
}
`,
  },
  {
    name: 'disconnect',
    exports: ['disconnectRedis'],
    needs: ['client-types', 'state'],
    source: `
/** \`redis.disconnect()\` of ioredis: closes at once. A client that is closed stays as it is. */
export function disconnectRedis(client: AnyRedis): void {
  const state = stateOf(client);
  const isOpening = state.status === 'connecting' || state.status === 'reconnecting';
  state.status = 'end';
  if (!client.isOpen) return;
  if (!isOpening || !('isReady' in client)) {
    client.destroy();
    return;
  }
  // node-redis would leave the socket open that it is just opening.
  const destroy = (): void => {
    if (client.isOpen) client.destroy();
  };
  client.once('connect', destroy);
  client.once('error', destroy);
}
`,
  },
  {
    name: 'duplicate',
    exports: ['duplicateRedis'],
    needs: ['client-types', 'state', 'option-types', 'create-redis'],
    source: `
/** \`redis.duplicate()\` of ioredis: a new connection with the same options, which connects by itself. */
export function duplicateRedis(client: Redis, override: RedisOptions = {}): Redis {
  const { options } = stateOf(client);
  if (!options) throw new TypeError('duplicateRedis: this client was not made by createRedis.');
  return createRedis({ ...options, ...override });
}
`,
  },
  {
    name: 'status',
    exports: ['redisStatus'],
    needs: ['client-types', 'state'],
    source: `
/** \`redis.status\` of ioredis. */
export function redisStatus(client: AnyRedis): RedisStatus {
  const { status } = stateOf(client);
  return 'isReady' in client && client.isReady ? 'ready' : status;
}
`,
  },
]
