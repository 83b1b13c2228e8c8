/** Parts of the generated file that send commands with the arguments and replies of ioredis. */
import type { Part } from './part.ts'

export const commandParts: readonly Part[] = [
  {
    name: 'reply-name',
    exports: [],
    needs: [],
    source: `
/** Code and logs know the errors of the server by the name that ioredis 5 gives them. */
function nameReplyError(error: Error): Error {
  return Object.defineProperty(error, 'name', { value: 'ReplyError', configurable: true, writable: true });
}
`,
  },
  {
    name: 'text',
    exports: ['toText'],
    needs: [],
    source: `
/** An argument as ioredis writes it: nothing for null and undefined, else the text of the value. */
export function toText(value: string | Buffer | number | boolean | null | undefined): string | Buffer {
  if (typeof value === 'string' || Buffer.isBuffer(value)) return value;
  return value === null || value === undefined ? '' : String(value);
}
`,
  },
  {
    name: 'arguments',
    exports: [],
    needs: [],
    source: `
type Argument = string | Buffer;

/** All values as arguments of a command, as ioredis writes them: arrays are flattened one level, an object gives its fields. */
function toArguments(name: string, values: readonly unknown[]): Argument[] {
  return withFields(name, values.flat()).map((value) => {
    if (typeof value === 'string' || Buffer.isBuffer(value)) return value;
    return value === null || value === undefined ? '' : String(value);
  });
}

/** \`hset(key, { field: value })\` and \`mset({ key: value })\`, also with a Map. */
function withFields(name: string, values: readonly unknown[]): readonly unknown[] {
  const fieldsAt = name === 'mset' || name === 'msetnx' ? 0 : name === 'hset' || name === 'hmset' ? 1 : -1;
  const fields = values[fieldsAt];
  if (values.length !== fieldsAt + 1 || typeof fields !== 'object' || fields === null) return values;
  const entries = fields instanceof Map ? [...fields] : Object.entries(fields);
  return [...values.slice(0, fieldsAt), ...entries.flatMap(([field, value]: [unknown, unknown]) => [field, value])];
}
`,
  },
  {
    name: 'reply',
    exports: [],
    needs: [],
    source: `
/** The one reply that ioredis changes: fields of a hash become an object. */
function toReply(name: string, reply: unknown): unknown {
  if (name !== 'hgetall' || !Array.isArray(reply)) return reply;
  const object: Record<string, unknown> = {};
  for (let at = 0; at + 1 < reply.length; at += 2) {
    // \`__proto__\` must become a field of its own.
    Object.defineProperty(object, String(reply[at]), { value: reply[at + 1], configurable: true, enumerable: true, writable: true });
  }
  return object;
}
`,
  },
  {
    name: 'send',
    exports: [],
    needs: ['client-types', 'state', 'arguments', 'reply', 'scripts'],
    imports: { redis: ['RESP_TYPES'] },
    source: `
/** Replies as Buffers instead of text. */
const BUFFERS = { [RESP_TYPES.BLOB_STRING]: Buffer, [RESP_TYPES.SIMPLE_STRING]: Buffer };

interface SendOptions {
  readonly asBuffers: boolean;
  /** Commands with the same one are sent without others in between. */
  readonly chainId?: symbol;
}

/** Sends one command of ioredis and gives the reply of ioredis. */
async function send(client: AnyRedis, name: string, values: readonly unknown[], options: SendOptions): Promise<unknown> {
  const script = stateOf(client).scripts.get(name);
  if (script) return sendScript(client, script, values, options);
  const args = toArguments(name, values);
  return toReply(name, await sendRaw(client, [...name.split(' '), ...args], firstKey(name, args), options));
}

function sendRaw(client: AnyRedis, args: Argument[], key: Argument | undefined, options: SendOptions): Promise<unknown> {
  const commandOptions = {
    ...(options.asBuffers ? { typeMapping: BUFFERS } : {}),
    ...(options.chainId === undefined ? {} : { chainId: options.chainId }),
  };
  __SEND__
}

/** Commands whose first key is not their first argument: at which argument it stands, or none. */
const KEY_AT: Readonly<Record<string, number | null>> = {
  eval: 2, evalsha: 2, eval_ro: 2, evalsha_ro: 2, fcall: 2, fcall_ro: 2, bitop: 1, object: 1, memory: 1, xinfo: 1, xgroup: 1, zdiff: 1,
  zinter: 1, zunion: 1, sintercard: 1, zintercard: 1, lmpop: 1, zmpop: 1, blmpop: 2, bzmpop: 2, ping: null, info: null, config: null,
  flushall: null, flushdb: null, dbsize: null, keys: null, scan: null, time: null, script: null, client: null, cluster: null,
  publish: 0, command: null, wait: null, echo: null, randomkey: null,
};

/** The key by which a cluster chooses a node. */
function firstKey(name: string, args: readonly Argument[]): Argument | undefined {
  if (name === 'xread' || name === 'xreadgroup') return args[args.findIndex((arg) => String(arg).toLowerCase() === 'streams') + 1];
  const at = KEY_AT[name];
  return at === null ? undefined : args[at ?? 0];
}
`,
  },
  {
    name: 'scripts',
    exports: ['defineCommand'],
    needs: ['client-types', 'state', 'arguments'],
    imports: { 'node:crypto': ['createHash'] },
    source: `
/** \`redis.defineCommand()\` of ioredis: \`command(client, name, …)\` then runs the script. */
export function defineCommand(client: AnyRedis, name: string, script: RedisScript): void {
  stateOf(client).scripts.set(name, script);
}

/** EVALSHA, and EVAL if the server does not know the script. */
async function sendScript(client: AnyRedis, script: RedisScript, values: readonly unknown[], options: SendOptions): Promise<unknown> {
  const args = toArguments('', script.numberOfKeys === undefined ? values : [script.numberOfKeys, ...values.flat()]);
  const readOnly = script.readOnly === true ? '_RO' : '';
  const sha = createHash('sha1').update(script.lua).digest('hex');
  // Inside a transaction, NOSCRIPT comes too late to send the text.
  if (options.chainId !== undefined) return sendRaw(client, [\`EVAL\${readOnly}\`, script.lua, ...args], args[1], options);
  try {
    return await sendRaw(client, [\`EVALSHA\${readOnly}\`, sha, ...args], args[1], options);
  } catch (error) {
    if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw error;
    return sendRaw(client, [\`EVAL\${readOnly}\`, script.lua, ...args], args[1], options);
  }
}
`,
  },
  {
    name: 'command',
    exports: ['command', 'commandBuffer'],
    needs: ['client-types', 'send', 'callback'],
    source: `
/**
 * Sends a command with the arguments and the reply of ioredis, and calls a callback at the end of the arguments. Replace it by the method
 * of the client once the types of the arguments are certain: \`command(redis, 'get', key)\` is \`redis.get(key)\`.
 */
export function command<T = unknown>(client: AnyRedis, name: string, ...values: [...values: unknown[], callback: Callback<T>]): Promise<T>;
export function command<T = unknown>(client: AnyRedis, name: string, ...values: readonly unknown[]): Promise<T>;
export function command<T = unknown>(client: AnyRedis, name: string, ...values: readonly unknown[]): Promise<T> {
  return sendWithCallback(client, name, values, false) as Promise<T>;
}

/** The \`…Buffer\` methods of ioredis: the same, with Buffers in place of text. */
export function commandBuffer<T = unknown>(client: AnyRedis, name: string, ...values: [...values: unknown[], callback: Callback<T>]): Promise<T>;
export function commandBuffer<T = unknown>(client: AnyRedis, name: string, ...values: readonly unknown[]): Promise<T>;
export function commandBuffer<T = unknown>(client: AnyRedis, name: string, ...values: readonly unknown[]): Promise<T> {
  return sendWithCallback(client, name, values, true) as Promise<T>;
}

function sendWithCallback(client: AnyRedis, name: string, values: readonly unknown[], asBuffers: boolean): Promise<unknown> {
  const last = values[values.length - 1];
  if (typeof last !== 'function') return send(client, name, values, { asBuffers });
  return withCallback(send(client, name, values.slice(0, -1), { asBuffers }), last as Callback);
}
`,
  },
  {
    name: 'callback',
    exports: ['withCallback'],
    types: ['Callback'],
    needs: [],
    source: `
export type Callback<T = any> = (error?: Error | null, result?: T) => void;

/** Hands the result of a promise to a callback, as ioredis does, and returns the promise. */
export function withCallback<T>(promise: Promise<T>, callback: Callback<T> | null | undefined): Promise<T> {
  if (typeof callback !== 'function') return promise;
  const outside = (call: () => void): void => {
    try {
      call();
    } catch (error) {
      // An error of the callback is not one of the command.
      setTimeout(() => {
        throw error;
      }, 0);
    }
  };
  promise.then(
    (result) => outside(() => callback(null, result)),
    (error: Error) => outside(() => callback(error)),
  );
  return promise;
}
`,
  },
  {
    name: 'chain',
    exports: ['createPipeline', 'createTransaction'],
    types: ['ChainableCommander'],
    needs: ['client-types', 'state', 'send', 'callback', 'reply-name'],
    imports: { redis: ['RESP_TYPES'] },
    source: `
/** Commands that this project adds to pipelines and transactions. */
const CHAINED_COMMANDS = [__CHAINED__] as const;

type ExecResult = [error: Error | null, result: unknown][] | null;

interface ChainBase {
  readonly length: number;
  addBatch(commands: readonly (readonly unknown[])[]): ChainableCommander;
  exec(callback?: Callback<ExecResult>): Promise<ExecResult>;
}

/** Commands that are sent together. Each method adds one and returns the chain, as in ioredis. */
export type ChainableCommander = ChainBase & Record<(typeof CHAINED_COMMANDS)[number], ChainedMethod>;

interface ChainedMethod {
  (...values: [...values: unknown[], callback: Callback<any>]): ChainableCommander;
  (...values: readonly any[]): ChainableCommander;
}

interface ChainedCommand {
  readonly name: string;
  readonly values: readonly unknown[];
  readonly callback: Callback | null;
}

/** \`redis.pipeline()\` of ioredis: \`exec()\` gives \`[error, result]\` for each command. */
export function createPipeline(client: AnyRedis, commands?: readonly (readonly unknown[])[]): ChainableCommander;
export function createPipeline<Chain>(client: AnyRedis, commands?: readonly (readonly unknown[])[]): Chain;
export function createPipeline(client: AnyRedis, commands?: readonly (readonly unknown[])[]): ChainableCommander {
  const pairs: [Error | null, unknown][] = [];
  const sent = new Set<ChainedCommand>();
  let first: Promise<ExecResult> | null = null;
  // As in ioredis, a later \`exec()\` sends all commands again, and gives the result of the first one.
  const run = (chained: readonly ChainedCommand[]): Promise<ExecResult> => {
    const replies = chained.map(async (one, at) => {
      if (sent.has(one)) await settle(sendChained(client, { ...one, callback: null }));
      else {
        sent.add(one);
        pairs[at] = await settle(sendChained(client, one));
      }
    });
    first ??= chained.length === 0 ? Promise.resolve([]) : Promise.all(replies).then(() => [...pairs]);
    return first;
  };
  return createChain(client, commands, { run, counted: () => 0 });
}

/** \`redis.multi()\` of ioredis: a transaction. \`exec()\` gives null if a watched key has changed. */
export function createTransaction(client: AnyRedis, commands?: readonly (readonly unknown[])[] | object): ChainableCommander;
export function createTransaction<Chain>(client: AnyRedis, commands?: readonly (readonly unknown[])[] | object): Chain;
export function createTransaction(client: AnyRedis, commands?: readonly (readonly unknown[])[] | object): ChainableCommander {
  let isSent = false;
  const run = async (chained: readonly ChainedCommand[]): Promise<ExecResult> => {
    if (isSent) throw new Error('exec() of this transaction was called before. Create a transaction for each exec().');
    isSent = true;
    return sendTransaction(client, chained);
  };
  // ioredis counts MULTI, and EXEC once it is sent.
  return createChain(client, Array.isArray(commands) ? commands : undefined, { run, counted: () => (isSent ? 2 : 1) });
}

function createChain(
  client: AnyRedis,
  commands: readonly (readonly unknown[])[] | undefined,
  { run, counted }: { run: (chained: readonly ChainedCommand[]) => Promise<ExecResult>; counted: () => number },
): ChainableCommander {
  const chained: ChainedCommand[] = [];
  let isCalledBack = false;
  const add = (name: string, values: readonly unknown[]): void => {
    const last = values[values.length - 1];
    const callback = typeof last === 'function' ? (last as Callback) : null;
    const given = callback ? values.slice(0, -1) : values;
    if (name !== 'call' && name !== 'callBuffer') chained.push({ name, values: given, callback });
    else {
      const [command, ...rest] = given.flat();
      chained.push({ name: name.replace('call', String(command)), values: rest, callback });
    }
  };
  const base: ChainBase = {
    get length() {
      return chained.length + counted();
    },
    addBatch(more) {
      for (const [name, ...values] of more) add(String(name), values);
      return chain;
    },
    exec(callback) {
      const result = isCalledBack ? run(chained) : withCallback(run(chained), callback);
      isCalledBack = true;
      return result;
    },
  };
  const names = new Set<string>([...CHAINED_COMMANDS, ...stateOf(client).scripts.keys()]);
  const methods = Object.fromEntries(
    [...names].map((name) => [
      name,
      (...values: readonly unknown[]) => {
        add(name, values);
        return chain;
      },
    ]),
  );
  const chain = Object.defineProperties(methods, Object.getOwnPropertyDescriptors(base)) as unknown as ChainableCommander;
  if (commands) chain.addBatch(commands);
  return chain;
}

/** A command of a chain; its callback, if it has one, gets the result. */
function sendChained(client: AnyRedis, { name, values, callback }: ChainedCommand): Promise<unknown> {
  const asBuffers = name.endsWith('Buffer');
  return withCallback(send(client, asBuffers ? name.slice(0, -'Buffer'.length) : name, values, { asBuffers }), callback);
}

/** ioredis leaves the result out where there is an error. */
async function settle(reply: Promise<unknown>): Promise<[Error | null, unknown]> {
  try {
    return [null, await reply];
  } catch (error) {
    return [error as Error] as unknown as [Error, unknown];
  }
}

async function sendTransaction(client: AnyRedis, chained: readonly ChainedCommand[]): Promise<ExecResult> {
  __TRANSACTION__
}

/** The reply to EXEC as pairs, in text except for \`…Buffer\` commands. */
function toPairs(chained: readonly ChainedCommand[], replies: readonly unknown[] | null): ExecResult {
  if (replies === null) return null;
  return replies.map((reply, at) => {
    if (reply instanceof Error) return [nameReplyError(reply)] as unknown as [Error, unknown];
    const name = chained[at]?.name ?? '';
    const isBuffer = name.endsWith('Buffer');
    return [null, toReply(isBuffer ? name.slice(0, -'Buffer'.length) : name, isBuffer ? reply : toTextDeep(reply))];
  });
}

function toTextDeep(reply: unknown): unknown {
  if (reply instanceof Error) return nameReplyError(reply);
  if (Buffer.isBuffer(reply)) return reply.toString();
  return Array.isArray(reply) ? reply.map(toTextDeep) : reply;
}
`,
  },
]
