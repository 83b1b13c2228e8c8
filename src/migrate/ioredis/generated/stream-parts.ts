/** Parts of the generated file that keep the event and stream style of ioredis: subscriptions and scans. */
import type { Part } from './part.ts'

/** The four functions, for channels and for patterns. */
const SUBSCRIBE = (one: { what: 'channel' | 'pattern'; prefix: '' | 'p'; set: 'channels' | 'patterns' }): string => {
  const { what, prefix, set } = one
  const native = prefix === '' ? 'subscribe' : 'pSubscribe'
  const nativeEnd = prefix === '' ? 'unsubscribe' : 'pUnsubscribe'
  const signature = (name: string, values: string): string =>
    `export function ${name}(client: Redis, ...values: ${values}): Promise<number>`
  const overloads = (name: string): string =>
    [
      `${signature(name, '[...values: unknown[], callback: Callback<number>]')};`,
      `${signature(name, 'readonly unknown[]')};`,
      `${signature(name, 'readonly unknown[]')} {`,
    ].join('\n')
  return `
/** \`redis.${prefix}subscribe()\` of ioredis: messages arrive as events \`${prefix}message\` of the client. Gives the number of subscriptions. */
${overloads(`${prefix}subscribeRedis`)}
  return changeSubscriptions(client, '${set}', values, async (names, known) => {
    await Promise.all(names.map((name) => client.${native}(name, ${prefix}messageListenerOf(client, name), true)));
    for (const name of names) known.add(name);
  });
}

/** Without a ${what}, it ends all. Gives the number of subscriptions that are left. */
${overloads(`${prefix}unsubscribeRedis`)}
  return changeSubscriptions(client, '${set}', values, async (given, known) => {
    const names = given.length === 0 ? [...known] : given;
    await Promise.all(names.map((name) => client.${nativeEnd}(name, ${prefix}messageListenerOf(client, name), true)));
    for (const name of names) known.delete(name);
  });
}`
}

export const streamParts: readonly Part[] = [
  {
    name: 'subscribe',
    exports: ['subscribeRedis', 'unsubscribeRedis', 'psubscribeRedis', 'punsubscribeRedis'],
    needs: ['client-types', 'state', 'callback'],
    source: `
type MessageListener = (message: Buffer, channel: Buffer) => void;

function toNames(values: readonly unknown[]): string[] {
  return values.flat().map((value) => (value === null || value === undefined ? '' : String(value)));
}

const messageListeners = new WeakMap<object, MessageListener>();
const pmessageListeners = new WeakMap<object, Map<string, MessageListener>>();

/** One listener for each client: node-redis then calls it once for each message, however often a channel is subscribed. */
function messageListenerOf(client: Redis, _channel: string): MessageListener {
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

/** Runs one change, and calls a callback at the end of the arguments. */
function changeSubscriptions(
  client: Redis,
  kind: 'channels' | 'patterns',
  values: readonly unknown[],
  change: (names: readonly string[], known: Set<string>) => Promise<void>,
): Promise<number> {
  const state = stateOf(client);
  const last = values[values.length - 1];
  const callback = typeof last === 'function' ? (last as Callback<number>) : undefined;
  const names = toNames(callback ? values.slice(0, -1) : values);
  const done = change(names, state[kind]).then(() => state.channels.size + state.patterns.size);
  return withCallback(done, callback);
}
${SUBSCRIBE({ what: 'channel', prefix: '', set: 'channels' })}
${SUBSCRIBE({ what: 'pattern', prefix: 'p', set: 'patterns' })}
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
