/** Parts of the generated file that make clients and clusters from the arguments of ioredis. */
import type { Part } from './part.ts'

export const creationParts: readonly Part[] = [
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
]
