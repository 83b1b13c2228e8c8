/** The part of the generated file that translates options and gives a client the habits of ioredis. */
import type { Part } from './part.ts'

export const behaviorParts: readonly Part[] = [
  {
    name: 'client-behavior',
    exports: [],
    needs: ['client-types', 'state', 'option-types', 'reply-name'],
    imports: {
      redis: [
        'type RedisClientOptions',
        'AbortError',
        'ClientClosedError',
        'DisconnectsClientError',
        'ErrorReply',
        'SocketClosedUnexpectedlyError',
      ],
    },
    source: `
/** Options of ioredis without a counterpart, and values that mean the same as no option. What ioredis ignores is ignored here too. */
const UNSUPPORTED: Readonly<Record<string, readonly unknown[]>> = {
  __KEY_PREFIX_NEUTRAL__
  sentinels: [null], reconnectOnError: [null], stringNumbers: [false], autoResubscribe: [true], autoResendUnfulfilledCommands: [true],
  Connector: [], monitor: [false], replyMapping: ['legacy'], blockingTimeout: [0], himportFieldsets: [],
};

/** @throws TypeError for an option whose meaning would be lost */
function checkOption(name: string, value: unknown): void {
  if (value === undefined || !Object.prototype.hasOwnProperty.call(UNSUPPORTED, name) || UNSUPPORTED[name]?.includes(value) === true) return;
  throw new TypeError(\`The ioredis option "\${name}" has no counterpart in node-redis. Remove it, or write this client by hand.\`);
}

/** Options of ioredis as options of node-redis. */
function clientOptions(options: RedisOptions): RedisClientOptions<__MODULES__, {}, {}, 2, {}> {
  for (const [name, value] of Object.entries(options)) checkOption(name, value);
  const { host, port, path, family, tls } = options;
  if (typeof tls === 'string' || (typeof tls === 'object' && 'profile' in tls) || (tls && path !== undefined)) {
    throw new TypeError('createRedis: write the TLS options of the profile in place of its name, and none for the path of a socket.');
  }
  const shared = {
    connectTimeout: options.connectTimeout ?? 10_000,
    reconnectStrategy: reconnectStrategy(options),
    ...(options.socketTimeout === undefined ? {} : { socketTimeout: options.socketTimeout }),
  };
  const tcp = {
    host: host ?? 'localhost',
    port: Number(port ?? 6379),
    noDelay: options.noDelay ?? true,
    keepAlive: true,
    keepAliveInitialDelay: options.keepAlive ?? 0,
    ...(family === undefined ? {} : { family: Number(family) }),
  };
  const secure = typeof tls === 'object' && tls !== null ? { ...tls, tls: true as const } : { tls: true as const };
  const socket = path !== undefined ? { ...shared, path, tls: false as const } : tls ? { ...shared, ...tcp, ...secure } : { ...shared, ...tcp };
  return {
    RESP: 2,
    socket,
    database: Number(options.db ?? 0),
    commandOptions: {},
    disableOfflineQueue: options.enableOfflineQueue === false,
    readonly: options.readOnly === true,
    ...(options.username && options.password ? { username: options.username } : {}),
    ...(options.password ? { password: options.password } : {}),
    ...(options.connectionName ? { name: options.connectionName } : {}),
    ...(options.disableClientInfo === undefined ? {} : { disableClientInfo: options.disableClientInfo }),
    ...(options.clientInfoTag === undefined ? {} : { clientInfoTag: options.clientInfoTag }),
  };
}

function reconnectStrategy({ retryStrategy }: RedisOptions): (retries: number) => number | false {
  return (retries) => {
    if (retryStrategy === null) return false;
    const delayMs = retryStrategy === undefined ? Math.min((retries + 1) * 50, 2_000) : retryStrategy(retries + 1);
    return typeof delayMs === 'number' ? delayMs : false;
  };
}

/** As ioredis: the number of attempts to reconnect after which waiting commands fail. */
const MAX_RETRIES = 20;

type Send = (...values: unknown[]) => Promise<unknown>;

/** The parts of a client that \`behaveLikeIoredis\` wraps. */
interface ClientInternals {
  emit(event: string | symbol, ...values: unknown[]): boolean;
  sendCommand: Send;
}

/**
 * Gives a client the habits of ioredis that code relies on: the events \`close\` and \`end\`, no crash without a listener of \`error\`,
 * a connection at the first command (\`lazyConnect\`), \`commandTimeout\` and \`maxRetriesPerRequest\`.
 */
function behaveLikeIoredis(client: Redis, options: RedisOptions): void {
  const state = stateOf(client);
  const internals = Object.getPrototypeOf(client) as ClientInternals;
  const emit = internals.emit.bind(client);
  const waiting = new Set<(error: Error) => void>();
  const held: (() => void)[] = [];
  const maxRetries = options.maxRetriesPerRequest === undefined ? MAX_RETRIES : options.maxRetriesPerRequest;
  let attempts = 0;
  state.status = options.lazyConnect === true ? 'wait' : 'connecting';
  state.emit = emit;
  client.on('error', (error: Error) => {
    if (client.listenerCount('error') === 1) console.error('[redis] Unhandled error event:', error.stack ?? error);
  });
  internals.emit = (event, ...values) => {
    if (event === 'connect') state.status = 'connect';
    if (event === 'ready') {
      state.status = 'ready';
      attempts = 0;
      for (const start of held.splice(0)) start();
    }
    if (event === 'reconnecting') {
      state.status = 'reconnecting';
      attempts += 1;
      if (maxRetries !== null && attempts % (maxRetries + 1) === 0) rejectAll(waiting, maxRetriesError(maxRetries));
    }
    if (event === 'end') {
      rejectAll(waiting, new Error('Connection is closed.'));
      // ioredis emits it after disconnect() has returned.
      setImmediate(() => {
        emit('close');
        state.status = 'end';
        emit('end');
      });
      return true;
    }
    if (event !== 'error') return emit(event, ...values);
    // The server refuses the client: ioredis fails what waits with that error.
    if (values[0] instanceof ErrorReply) rejectAll(waiting, nameReplyError(values[0]));
    // ioredis reports a lost connection by \`close\` alone.
    const wasReady = state.status === 'ready';
    const reported = values[0] instanceof SocketClosedUnexpectedlyError && wasReady ? true : emit('error', ...values);
    state.status = 'close';
    emit('close');
    if (!client.isOpen) {
      state.status = 'end';
      rejectAll(waiting, new Error('Connection is closed.'));
      emit('end');
    }
    return reported;
  };
  for (const [name, script] of Object.entries(options.scripts ?? {})) state.scripts.set(name, script);
  const pass: PassGate = (values, attempt) => {
    if (state.status === 'wait' && !client.isOpen) {
      state.status = 'connecting';
      client.connect().catch(() => undefined);
    }
    if (!client.isOpen) return Promise.reject(new Error('Connection is closed.'));
    if (state.channels.size + state.patterns.size > 0 && !SUBSCRIBER_COMMANDS.has(commandName(values))) {
      return Promise.reject(new Error('Connection in subscriber mode, only subscriber commands may be used'));
    }
    if (!client.isReady && options.enableOfflineQueue === false) {
      return Promise.reject(new Error("Stream isn't writeable and enableOfflineQueue options is false"));
    }
    return sendAgain(client, values, () =>
      client.isReady && options.commandTimeout === undefined
        ? attempt()
        : sendWithin(client, attempt, options.commandTimeout, waiting, held),
    );
  };
  state.pass = pass;
  const send = internals.sendCommand;
  internals.sendCommand = function (this: Redis, ...values: unknown[]): Promise<unknown> {
    __KEY_PREFIX__
    const [args, given] = values as [readonly unknown[], { typeMapping?: object } | undefined];
    const reply = pass(values, (abortSignal) => send.call(this, args, abortSignal ? { ...given, abortSignal } : given));
    return state.hasSubscribed ? reply.then((one) => afterSubscription(state, values, one)) : reply;
  };
}

/** Commands that ioredis sends on a connection with subscriptions. It rejects all others. */
const SUBSCRIBER_COMMANDS = new Set([
  'subscribe', 'psubscribe', 'unsubscribe', 'punsubscribe', 'ssubscribe', 'sunsubscribe', 'ping', 'quit',
]);

function commandName([args]: readonly unknown[]): string {
  return String((args as readonly unknown[])[0]).toLowerCase();
}

/** A reply on a connection that has subscribed: node-redis then gives Buffers in place of text, and one text in place of the pair of PING. */
function afterSubscription(state: ClientState, values: readonly unknown[], reply: unknown): unknown {
  const [args, given] = values as [readonly unknown[], { typeMapping?: object } | undefined];
  const isPing = commandName(values) === 'ping' && state.channels.size + state.patterns.size > 0;
  if (isPing) return ['pong', args.length > 1 ? String(args[1]) : ''];
  return given?.typeMapping === undefined ? textOf(reply) : reply;
}

function textOf(reply: unknown): unknown {
  if (Buffer.isBuffer(reply)) return reply.toString();
  return Array.isArray(reply) ? reply.map(textOf) : reply;
}

/** As ioredis, it sends a command again if the connection was lost before the reply, and tells a closed client by its message. */
async function sendAgain(client: Redis, [args, given]: readonly unknown[], attempt: () => Promise<unknown>): Promise<unknown> {
  const isChained = (given as { chainId?: symbol } | undefined)?.chainId !== undefined;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (error instanceof ErrorReply) {
        const [name, ...rest] = args as readonly (string | Buffer)[];
        throw Object.assign(nameReplyError(error), { command: { name: String(name).toLowerCase(), args: rest } });
      }
      if (error instanceof DisconnectsClientError || error instanceof ClientClosedError) throw new Error('Connection is closed.');
      const isLost = error instanceof SocketClosedUnexpectedlyError || ['ECONNRESET', 'EPIPE'].includes((error as NodeJS.ErrnoException).code ?? '');
      if (!isLost || isChained) throw error;
      if (!client.isOpen) throw new Error('Connection is closed.');
    }
  }
}

/** Sends a command that fails when its time is over, or when the connection could not be made again. */
function sendWithin(
  client: Redis,
  attempt: (abortSignal: AbortSignal) => Promise<unknown>,
  timeoutMs: number | undefined,
  waiting: Set<(error: Error) => void>,
  held: (() => void)[],
): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const unsent = new AbortController();
    const fail = (error: Error): void => {
      done();
      reject(error);
      unsent.abort();
    };
    // As in ioredis, the caller waits no longer, but the command stays in the queue and is sent.
    const timer = timeoutMs === undefined ? undefined : setTimeout(() => reject(new Error('Command timed out')), timeoutMs);
    const done = (): void => {
      clearTimeout(timer);
      waiting.delete(fail);
    };
    const start = (): void => {
      if (unsent.signal.aborted) return;
      attempt(unsent.signal).then(
        (reply) => {
          done();
          resolve(reply);
        },
        (error: unknown) => {
          done();
          if (!(error instanceof AbortError)) reject(error as Error);
        },
      );
    };
    waiting.add(fail);
    // node-redis would send it before the server has answered to the password.
    if (client.isReady) start();
    else held.push(start);
  });
}

function rejectAll(waiting: ReadonlySet<(error: Error) => void>, error: Error): void {
  for (const fail of [...waiting]) fail(error);
}

function maxRetriesError(maxRetries: number): Error {
  const error = new Error(
    \`Reached the max retries per request limit (which is \${maxRetries}). Refer to "maxRetriesPerRequest" option for details.\`,
  );
  error.name = 'MaxRetriesPerRequestError';
  return error;
}
`,
  },
]
