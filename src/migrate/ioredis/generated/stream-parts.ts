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
  return changeSubscriptions(client, '${prefix}subscribe', '${set}', values, (name) =>
    client.${native}(name, ${prefix}messageListenerOf(client, name), true),
  );
}

/** Without a ${what}, it ends all. Gives the number of subscriptions that are left. */
${overloads(`${prefix}unsubscribeRedis`)}
  return changeSubscriptions(client, '${prefix}unsubscribe', '${set}', values, (name) =>
    client.${nativeEnd}(name, ${prefix}messageListenerOf(client, name), true),
  );
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

/** Sends one change for each name through the gate of the client, and calls a callback at the end of the arguments. */
function changeSubscriptions(
  client: Redis,
  command: 'subscribe' | 'psubscribe' | 'unsubscribe' | 'punsubscribe',
  kind: 'channels' | 'patterns',
  values: readonly unknown[],
  change: (name: string) => Promise<void>,
): Promise<number> {
  const state = stateOf(client);
  const adds = !command.includes('unsubscribe');
  const last = values[values.length - 1];
  const callback = typeof last === 'function' ? (last as Callback<number>) : undefined;
  const given = toNames(callback ? values.slice(0, -1) : values);
  const attempt = async (): Promise<number> => {
    const names = given.length === 0 ? [...state.sent[kind]] : given;
    state.hasSubscribed ||= adds;
    let count = 0;
    const one = async (name: string): Promise<void> => {
      if (adds) state.sent[kind].add(name);
      else state.sent[kind].delete(name);
      await change(name);
      if (adds) state[kind].add(name);
      else state[kind].delete(name);
      count = state.channels.size + state.patterns.size;
    };
    // Without a name to end, the server is asked about one that does not exist: it replies with the number of the others.
    await Promise.all((names.length === 0 ? [''] : names).map(one));
    // node-redis leaves the mode of subscribers only at the next UNSUBSCRIBE.
    if (!adds && state.sent.channels.size + state.sent.patterns.size === 0) await change(names[0] ?? '');
    return count;
  };
  const done = state.pass ? state.pass([[command, ...given]], attempt) : attempt();
  return withCallback(done as Promise<number>, callback);
}
${SUBSCRIBE({ what: 'channel', prefix: '', set: 'channels' })}
${SUBSCRIBE({ what: 'pattern', prefix: 'p', set: 'patterns' })}
`,
  },
  {
    name: 'scan-stream',
    exports: ['scanStream', 'sscanStream', 'hscanStream', 'zscanStream'],
    types: ['ScanStream', 'ScanStreamOptions'],
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

export type ScanStream = Readable & {
  /** Ends the stream before the next page. */
  close(): void;
};

/** \`redis.scanStream()\` of ioredis: emits an array for each page of keys. */
export function scanStream(client: AnyRedis, options: ScanStreamOptions = {}): ScanStream {
  return streamPages(client, 'scan', [], options);
}

export function sscanStream(client: AnyRedis, key: unknown, options: ScanStreamOptions = {}): ScanStream {
  return streamPages(client, 'sscan', [key], options);
}

export function hscanStream(client: AnyRedis, key: unknown, options: ScanStreamOptions = {}): ScanStream {
  return streamPages(client, 'hscan', [key], options);
}

export function zscanStream(client: AnyRedis, key: unknown, options: ScanStreamOptions = {}): ScanStream {
  return streamPages(client, 'zscan', [key], options);
}

function streamPages(client: AnyRedis, name: string, key: readonly unknown[], options: ScanStreamOptions): ScanStream {
  const words = [
    ...(options.match ? ['MATCH', options.match] : []),
    ...(options.type ? ['TYPE', options.type] : []),
    ...(options.count ? ['COUNT', String(options.count)] : []),
    ...(options.noValues ? ['NOVALUES'] : []),
  ];
  let cursor = '0';
  let isDone = false;
  const stream = new Readable({
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
          if (cursor === '0') isDone = true;
          this.push(elements);
        },
        (error: Error) => this.emit('error', error),
      );
    },
  });
  return Object.assign(stream, { close: () => void (isDone = true) });
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
