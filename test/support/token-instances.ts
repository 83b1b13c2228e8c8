/**
 * Instances of an application with a token cache, each a process of its own, on one real Redis and one provider: what "over
 * all processes" is tried on. Every process runs under a shell that waits on a pipe to us, so that it ends when we do, however
 * that is, even while it is paused.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { ProviderTokenStatus, TokenSet, UserTokens } from '../../src/token/types.ts'
import { type RedisServer, startRedisServer } from './redis-server.ts'

const GUARD = '"$@" & echo $!; exec 2>/dev/null; cat >/dev/null; kill -9 $!; wait $!'

/** What one caller got. Times are epoch milliseconds with fractions, comparable over processes. */
export interface Answer {
  readonly token: string | null
  /** Of the error; null with a token. */
  readonly code: string | null
  readonly atMs: number
}

export interface AskOptions {
  readonly resource?: string
  readonly scopes?: readonly string[]
  readonly minValidityMs?: number
  readonly abortAfterMs?: number
}

interface Commands {
  send(name: string, input?: object): Promise<unknown>
}

export interface Instance {
  readonly pid: number
  /** So many callers at once in this process. */
  ask(userId: string, options?: AskOptions, callers?: number): Promise<readonly Answer[]>
  askEach(calls: readonly { userId: string; options?: AskOptions }[]): Promise<readonly Answer[]>
  store(users: readonly { userId: string; tokens: TokenSet }[]): Promise<void>
  find(userId: string): Promise<UserTokens | null>
  status(userId: string): Promise<readonly ProviderTokenStatus[]>
  /** A session each. @returns their ids */
  signIn(userIds: readonly string[]): Promise<readonly string[]>
  signOut(sessionIds: readonly string[]): Promise<void>
  /** Events of failures since the last call. */
  failures(): Promise<readonly { name: string; outcome?: string; code?: string }[]>
  block(ms: number): Promise<void>
  signal(name: 'SIGKILL' | 'SIGSTOP' | 'SIGCONT'): void
}

export interface ProviderFault {
  readonly times?: number
  readonly delayMs?: number
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  /** Reset the connection before or after the request is carried out. */
  readonly drop?: 'before' | 'after'
}

export interface SeenRequest {
  readonly atMs: number
  /** 0: not answered (yet). */
  readonly answeredAtMs: number
  /** The exchange is over: answered, or whoever asked has hung up. */
  readonly isGone: boolean
  readonly refreshToken: string
}

export interface TokenEndpoint {
  readonly issuer: string
  /** A first refresh token for each grant. */
  issue(grants: readonly string[]): Promise<readonly string[]>
  /** False once a refresh token of the grant was used twice under strict rotation. */
  isAlive(grant: string): Promise<boolean>
  /** Token requests since `clear`, failed ones too. */
  requests(): Promise<readonly SeenRequest[]>
  revoked(): Promise<readonly string[]>
  /** Forgets requests and faults. */
  clear(): Promise<void>
  fail(fault: ProviderFault): Promise<void>
  /** From now on requests arrive and wait, until `open`. */
  close(): Promise<void>
  open(): Promise<void>
  /** Resolves when so many requests have arrived since `clear`. */
  arrival(count: number): Promise<void>
}

export interface ProviderAddress {
  readonly issuer: string
  readonly clientId: string
  readonly clientSecret: string
  readonly scopes: readonly string[]
}

export interface TokenWorld {
  readonly redis: RedisServer
  readonly instances: readonly Instance[]
  /** Another instance, or one in the place of a dead one. */
  start(): Promise<Instance>
  stop(): Promise<void>
}

interface Process extends Commands {
  readonly pid: number
  stop(): Promise<void>
}

export async function startTokenEndpoint(
  rotation: 'strict' | 'lenient',
): Promise<TokenEndpoint & { stop(): Promise<void> }> {
  const child = await startProcess('token-provider.mjs', { ROTATION: rotation })
  const issuer = (await child.send('issuer')) as string
  return {
    issuer,
    issue: async (grants) => (await child.send('issue', { grants })) as string[],
    isAlive: async (grant) => (await child.send('isAlive', { grant })) as boolean,
    requests: async () => (await child.send('requests')) as SeenRequest[],
    revoked: async () => (await child.send('revoked')) as string[],
    clear: async () => {
      await child.send('clear')
    },
    fail: async (fault) => {
      await child.send('fail', { fault })
    },
    close: async () => {
      await child.send('close')
    },
    open: async () => {
      await child.send('open')
    },
    arrival: async (count) => {
      await child.send('arrival', { count })
    },
    stop: () => child.stop(),
  }
}

/** @param count how many instances from the start */
export async function startTokenWorld(
  provider: Pick<ProviderAddress, 'issuer'> & Partial<ProviderAddress>,
  count = 4,
  redisArgs: readonly string[] = [],
): Promise<TokenWorld> {
  const redis = await startRedisServer({ args: redisArgs })
  const processes: Process[] = []
  const env = {
    REDIS_URL: redis.url,
    COATCHECK_KEYS: randomBytes(32).toString('base64'),
    ISSUER: provider.issuer,
    CLIENT_ID: provider.clientId ?? 'app',
    CLIENT_SECRET: provider.clientSecret ?? 'app-secret',
    SCOPES: (provider.scopes ?? ['openid', 'offline_access']).join(' '),
  }
  const start = async (): Promise<Instance> => {
    const child = await startProcess('token-instance.mjs', env)
    processes.push(child)
    return instanceOf(child)
  }
  const stop = async (): Promise<void> => {
    await Promise.all(processes.map((child) => child.stop()))
    await redis.stop()
  }
  try {
    return { redis, instances: await Promise.all(Array.from({ length: count }, start)), start, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

function instanceOf(child: Process): Instance {
  return {
    pid: child.pid,
    ask: async (userId, options, callers) => (await child.send('ask', { userId, options, callers })) as Answer[],
    askEach: async (calls) => (await child.send('askEach', { calls })) as Answer[],
    store: async (users) => {
      await child.send('store', { users })
    },
    find: async (userId) => (await child.send('find', { userId })) as UserTokens | null,
    status: async (userId) => (await child.send('status', { userId })) as ProviderTokenStatus[],
    signIn: async (userIds) => (await child.send('signIn', { userIds })) as string[],
    signOut: async (sessionIds) => {
      await child.send('signOut', { sessionIds })
    },
    failures: async () => (await child.send('failures')) as { name: string }[],
    block: async (ms) => {
      await child.send('block', { ms })
    },
    signal(name) {
      process.kill(child.pid, name)
    },
  }
}

async function startProcess(file: string, env: Record<string, string>): Promise<Process> {
  const path = fileURLToPath(new URL(`./processes/${file}`, import.meta.url))
  const guard: ChildProcess = spawn('sh', ['-c', GUARD, 'sh', process.execPath, path], {
    stdio: ['pipe', 'pipe', 'inherit', 'ipc'],
    env: { ...process.env, ...env },
  })
  // The guard may be gone when its pipe closes: that is what was wanted.
  guard.stdin?.on('error', () => undefined)
  const waiting = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>()
  let last = 0
  const ready = new Promise<void>((resolve, reject) => {
    guard.on('message', (message: { ready?: true; id?: number; value?: unknown; error?: string }) => {
      if (message.ready) resolve()
      const call = waiting.get(message.id ?? 0)
      waiting.delete(message.id ?? 0)
      if (message.error === undefined) call?.resolve(message.value)
      else call?.reject(new Error(message.error))
    })
    guard.once('exit', () => reject(new Error(`${file} ended`)))
  })
  const lines = createInterface({ input: guard.stdout as NodeJS.ReadableStream })
  const [line] = (await once(lines, 'line')) as [string]
  lines.close()
  await ready
  return {
    pid: Number(line),
    send: (name, input) =>
      new Promise((resolve, reject) => {
        const id = ++last
        waiting.set(id, { resolve, reject })
        guard.send({ id, name, input })
      }),
    async stop() {
      if (guard.exitCode !== null || guard.signalCode !== null) return
      const exited = once(guard, 'exit')
      guard.stdin?.end()
      await exited
    },
  }
}

/** Tokens of a sign-in whose access token has expired: the next call refreshes. */
export function expiredTokens(refreshToken: string): TokenSet {
  return { accessToken: 'of-sign-in', refreshToken, expiresAt: Date.now() - 1000 }
}

export function failuresOf(answers: readonly Answer[]): readonly string[] {
  return answers.flatMap(({ code }) => (code === null ? [] : [code]))
}

export function tokensOf(answers: readonly Answer[]): readonly (string | null)[] {
  return [...new Set(answers.map(({ token }) => token))]
}
