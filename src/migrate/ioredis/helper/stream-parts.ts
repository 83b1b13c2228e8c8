/** Parts of the generated file that keep the event and stream style of ioredis: subscriptions and scans. */
import type { Part } from './part.ts'

const SUBSCRIBE = (one: { name: string; method: string; set: string; event: string; what: string }): string => `
/** \`redis.${one.name.toLowerCase().replace('redis', '')}()\` of ioredis: messages arrive as events \`${one.event}\` of the client. Gives the number of subscriptions. */
export async function ${one.name}(client: Redis, ...${one.what}: readonly unknown[]): Promise<number> {
  const { channels, patterns } = stateOf(client);
  const names = toNames(${one.what});
  await client.${one.method}(names, ${one.event}ListenerOf(client), true);
  for (const name of names) ${one.set}.add(name);
  return channels.size + patterns.size;
}

/** Without names, it ends all. Gives the number of subscriptions that are left. */
export async function un${one.name[0]?.toLowerCase() ?? ''}${one.name.slice(1)}(client: Redis, ...${one.what}: readonly unknown[]): Promise<number> {
  const { channels, patterns } = stateOf(client);
  const names = ${one.what}.length === 0 ? [...${one.set}] : toNames(${one.what});
  if (names.length > 0) await client.${one.method.startsWith('p') ? 'pUnsubscribe' : 'unsubscribe'}(names, ${one.event}ListenerOf(client), true);
  for (const name of names) ${one.set}.delete(name);
  return channels.size + patterns.size;
}`

export const streamParts: readonly Part[] = [
  {
    name: 'subscribe',
    exports: ['subscribeRedis', 'unsubscribeRedis', 'psubscribeRedis', 'punsubscribeRedis'],
    needs: ['client-types', 'state'],
    source: `
type MessageListener = (message: Buffer, channel: Buffer) => void;

function toNames(values: readonly unknown[]): string[] {
  return values.flat().map((value) => (value === null || value === undefined ? '' : String(value)));
}

const messageListeners = new WeakMap<object, MessageListener>();
const pmessageListeners = new WeakMap<object, Map<string, MessageListener>>();

/** One listener for each client: node-redis then calls it once for each message, however often a channel is subscribed. */
function messageListenerOf(client: Redis): MessageListener {
  let listener = messageListeners.get(client);
  if (!listener) {
    listener = (message, channel) => {
      client.emit('message', channel.toString(), message.toString());
      client.emit('messageBuffer', channel, message);
    };
    messageListeners.set(client, listener);
  }
  return listener;
}

/** One listener for each pattern: ioredis tells which pattern matched. */
function pmessageListenerOf(client: Redis, pattern: string): MessageListener {
  let listeners = pmessageListeners.get(client);
  if (!listeners) pmessageListeners.set(client, (listeners = new Map()));
  let listener = listeners.get(pattern);
  if (!listener) {
    listener = (message, channel) => {
      client.emit('pmessage', pattern, channel.toString(), message.toString());
      client.emit('pmessageBuffer', pattern, channel, message);
    };
    listeners.set(pattern, listener);
  }
  return listener;
}
${SUBSCRIBE({ name: 'subscribeRedis', method: 'subscribe', set: 'channels', event: 'message', what: 'values' })}

/** \`redis.psubscribe()\` of ioredis: messages arrive as events \`pmessage\` of the client. Gives the number of subscriptions. */
export async function psubscribeRedis(client: Redis, ...values: readonly unknown[]): Promise<number> {
  const { channels, patterns } = stateOf(client);
  const names = toNames(values);
  await Promise.all(names.map((name) => client.pSubscribe(name, pmessageListenerOf(client, name), true)));
  for (const name of names) patterns.add(name);
  return channels.size + patterns.size;
}

/** Without patterns, it ends all. Gives the number of subscriptions that are left. */
export async function punsubscribeRedis(client: Redis, ...values: readonly unknown[]): Promise<number> {
  const { channels, patterns } = stateOf(client);
  const names = values.length === 0 ? [...patterns] : toNames(values);
  await Promise.all(names.map((name) => client.pUnsubscribe(name, pmessageListenerOf(client, name), true)));
  for (const name of names) patterns.delete(name);
  return channels.size + patterns.size;
}
`,
  },
  {
    name: 'scan-stream',
    exports: ['scanStream', 'sscanStream', 'hscanStream', 'zscanStream'],
    types: ['ScanStreamOptions'],
    needs: ['client-types', 'command'],
    imports: { 'node:stream': ['Readable'] },
    source: `
export interface ScanStreamOptions {
  match?: string | undefined;
  type?: string | undefined;
  count?: number | string | undefined;
  noValues?: boolean | undefined;
  highWaterMark?: number | undefined;
  /** True for the \`…BufferStream\` methods of ioredis. */
  asBuffers?: boolean | undefined;
}

/** \`redis.scanStream()\` of ioredis: emits an array for each page of keys. */
export function scanStream(client: AnyRedis, options: ScanStreamOptions = {}): Readable {
  return streamPages(client, 'scan', [], options);
}

export function sscanStream(client: AnyRedis, key: unknown, options: ScanStreamOptions = {}): Readable {
  return streamPages(client, 'sscan', [key], options);
}

export function hscanStream(client: AnyRedis, key: unknown, options: ScanStreamOptions = {}): Readable {
  return streamPages(client, 'hscan', [key], options);
}

export function zscanStream(client: AnyRedis, key: unknown, options: ScanStreamOptions = {}): Readable {
  return streamPages(client, 'zscan', [key], options);
}

function streamPages(client: AnyRedis, name: string, key: readonly unknown[], options: ScanStreamOptions): Readable {
  const words = [
    ...(options.match ? ['MATCH', options.match] : []),
    ...(options.type ? ['TYPE', options.type] : []),
    ...(options.count ? ['COUNT', String(options.count)] : []),
    ...(options.noValues ? ['NOVALUES'] : []),
  ];
  let cursor = '0';
  let isDone = false;
  return new Readable({
    objectMode: true,
    ...(options.highWaterMark === undefined ? {} : { highWaterMark: options.highWaterMark }),
    read() {
      if (isDone) {
        this.push(null);
        return;
      }
      const page = options.asBuffers === true ? commandBuffer<unknown[]> : command<unknown[]>;
      page(client, name, ...key, cursor, ...words).then(
        ([next, elements]) => {
          cursor = String(next);
          isDone = cursor === '0';
          this.push(elements);
        },
        (error: Error) => this.emit('error', error),
      );
    },
  });
}
`,
  },
  {
    name: 'reply-error',
    exports: ['ReplyError'],
    needs: [],
    imports: { redis: ['ErrorReply'] },
    source: `
/** An error that the server replied with. */
export { ErrorReply as ReplyError };
`,
  },
  {
    name: 'value-types',
    exports: [],
    types: ['RedisKey', 'RedisValue'],
    needs: [],
    source: `
export type RedisKey = string | Buffer;
export type RedisValue = string | Buffer | number;
`,
  },
]
