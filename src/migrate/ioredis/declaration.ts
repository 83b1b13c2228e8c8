/**
 * The declaration of ioredis that the type checker reads in place of the installed one. It knows the names of ioredis 4, 5 and 6, works
 * without `node_modules`, and can be called and constructed in each way that JavaScript uses. Arguments are `any`: the codemod proves them
 * itself. Replies are those of `commands.ts`.
 */
import { commandNames, declarationsOf } from './commands.ts'

/** Where the declaration lies in the program. The file is never written. */
export const DECLARATION_FILE = 'coatcheck-ioredis.d.ts'

const SCAN_STREAMS = ['scan', 'sscan', 'hscan', 'zscan'].flatMap((name) => [`${name}Stream`, `${name}BufferStream`])
const EVENT_METHODS = 'on once off addListener removeListener prependListener prependOnceListener'.split(' ')
const OTHER_EVENT_METHODS =
  'emit silentEmit removeAllListeners setMaxListeners getMaxListeners listeners rawListeners listenerCount eventNames'

const EVENTS = `
${EVENT_METHODS.map(
  (name) => `
    ${name}(event: 'message', listener: (channel: string, message: string) => void): this;
    ${name}(event: 'messageBuffer', listener: (channel: Buffer, message: Buffer) => void): this;
    ${name}(event: 'pmessage', listener: (pattern: string, channel: string, message: string) => void): this;
    ${name}(event: 'pmessageBuffer', listener: (pattern: string, channel: Buffer, message: Buffer) => void): this;
    ${name}(event: 'error', listener: (error: Error) => void): this;
    ${name}(event: string | symbol, listener: (...args: any[]) => void): this;`,
).join('')}
${OTHER_EVENT_METHODS.split(' ')
  .map((name) => `    ${name}(...args: any[]): any;`)
  .join('\n')}`

const CONNECTION = `
    options: any;
    status: string;
    isCluster: boolean;
    condition: any;
    connect(...args: any[]): Promise<void>;
    disconnect(...args: any[]): void;
    end(...args: any[]): void;
    quit(...args: any[]): Promise<'OK'>;
    sendCommand(...args: any[]): any;
    defineCommand(name: string, definition: any): void;
    createBuiltinCommand(name: string): any;
    getBuiltinCommands(): string[];
    addBuiltinCommand(name: string): void;
    pipeline(commands?: any): RedisClient.ChainableCommander;
    multi(options: { pipeline: false }): Promise<'OK'>;
    multi(commands: any, options: { pipeline: false }): Promise<'OK'>;
    multi(...args: any[]): RedisClient.ChainableCommander;
    exec(...args: any[]): Promise<[error: Error | null, result: unknown][] | null>;
    exec(callback: Callback<[error: Error | null, result: unknown][] | null>): Promise<[error: Error | null, result: unknown][] | null>;
    autoPipelineQueueSize: number;
${SCAN_STREAMS.map((name) => `    ${name}(...args: any[]): ScanStream;`).join('\n')}`

export function declarationText(): string {
  return `
declare class RedisClient {
    constructor(...args: any[]);
    static createClient(...args: any[]): RedisClient;
    static defaultOptions: any;
    mode: 'normal' | 'subscriber' | 'monitor';
    stream: any;
    commandQueue: any;
    duplicate(override?: any): RedisClient;
    monitor(...args: any[]): Promise<RedisClient>;
${CONNECTION}
${EVENTS}
}
interface RedisClient extends RedisClient.RedisCommander<{ type: 'default' }> {}

declare class ClusterClient {
    constructor(nodes: any[], options?: any);
    slots: any;
    duplicate(nodes?: any, options?: any): ClusterClient;
    nodes(role?: any): RedisClient[];
    delayUntilReady(callback: any): void;
    refreshSlotsCache(callback?: any): void;
${CONNECTION}
${EVENTS}
}
interface ClusterClient extends RedisClient.RedisCommander<{ type: 'default' }> {}

type Callback<T = any> = (err?: Error | null, result?: T) => void;
interface ResultTypes<T, Context> { default: Promise<T>; pipeline: RedisClient.ChainableCommander }
type Result<T, Context> = ResultTypes<T, Context>[Context extends { type: keyof ResultTypes<T, Context> } ? Context['type'] : 'default'];
type RedisKey = string | Buffer;
type RedisValue = string | Buffer | number;
declare class PipelineClass { constructor(redis: any); }
interface PipelineClass extends RedisClient.ChainableCommander {}
declare class ScanStream { constructor(options: any); [member: string]: any; [Symbol.asyncIterator](): AsyncIterableIterator<any>; }
declare class Command { constructor(...args: any[]); [member: string]: any; }
interface RedisOptions { [option: string]: any }
interface ClusterOptions { [option: string]: any }
type ClusterNode = string | number | { host?: string; port?: number };
declare class ReplyError extends Error { command: any; }
declare class Connector { [member: string]: any; }
declare function print(err: Error | null, reply?: any): void;
type ClientContext = { type: 'default' } | { type: 'pipeline' };

declare namespace RedisClient {
    export interface RedisCommander<Context = { type: 'default' }> {
${commandNames.flatMap(declarationsOf).join('\n')}
    }
    export interface ChainableCommander extends RedisCommander<{ type: 'pipeline' }> {
        length: number;
        redis: any;
        addBatch(commands: any): ChainableCommander;
        pipeline(commands?: any): ChainableCommander;
        multi(...args: any[]): ChainableCommander;
        exec(callback: Callback<[error: Error | null, result: unknown][] | null>): Promise<[error: Error | null, result: unknown][] | null>;
        exec(): Promise<[error: Error | null, result: unknown][] | null>;
        execBuffer(...args: any[]): Promise<any>;
    }
    export {
        RedisClient as Redis, RedisClient as default, ClusterClient as Cluster, PipelineClass as Pipeline, ScanStream, Command, ReplyError, print,
        Connector as AbstractConnector, Connector as SentinelConnector, Connector as SentinelIterator,
        Callback, Result, ClientContext, RedisKey, RedisValue, RedisKey as KeyType, RedisValue as ValueType,
        RedisOptions, RedisOptions as CommonRedisOptions, RedisOptions as StandaloneConnectionOptions,
        RedisOptions as SentinelConnectionOptions, RedisOptions as SentinelAddress, RedisOptions as NatMap, RedisOptions as ScanStreamOption,
        ClusterOptions, ClusterNode, ClusterNode as NodeConfiguration, RedisOptions as DNSLookupFunction,
        RedisOptions as DNSResolveSrvFunction, RedisOptions as NodeRole, ClusterClient as ClusterStatic, RedisClient as RedisStatic,
        RedisClient as Commands
    };
}
export = RedisClient;
`
}
