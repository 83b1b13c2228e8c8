/** Processes that share users' tokens: each a Coatcheck of its own, on one Redis and one provider. */
import { type ChildProcess, fork } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { ProviderTokenStatus, TokenSet, UserTokens } from '../../src/token/types.ts'
import { PATIENT } from '../lab/limits.ts'

const APP = fileURLToPath(new URL('./processes/token-app.mjs', import.meta.url))

export interface CallerResult {
  readonly accessToken?: string
  readonly code?: string
  readonly atMs: number
}

interface Operations {
  get: { input: { user: string; callers?: number; options?: object; abortAfterMs?: number }; result: CallerResult[] }
  set: { input: { user: string; tokens: TokenSet }; result: undefined }
  stored: { input: { user: string }; result: UserTokens | null }
  status: { input: { user: string }; result: ProviderTokenStatus[] }
  signIn: { input: { user: string }; result: string }
  revoke: { input: { sessionId: string }; result: unknown }
  events: { input: object; result: { readonly name: string; readonly outcome?: string }[] }
  block: { input: { forMs: number }; result: undefined }
}

export interface TokenProcess {
  readonly pid: number
  ask<Name extends keyof Operations>(
    operation: Name,
    input: Operations[Name]['input'],
  ): Promise<Operations[Name]['result']>
  signal(name: 'SIGKILL' | 'SIGSTOP' | 'SIGCONT'): void
  stop(): Promise<void>
}

export interface TokenProcessSettings {
  readonly redisUrl: string
  readonly issuer: string
  readonly clientId?: string
  readonly clientSecret?: string
  /** Default: drawn. All processes of one world need the same. */
  readonly keys?: string
  /** Of another build, see `old-build.ts`. */
  readonly app?: string
}

export async function startTokenProcesses(count: number, settings: TokenProcessSettings): Promise<TokenProcess[]> {
  const keys = settings.keys ?? randomBytes(32).toString('base64')
  return Promise.all(Array.from({ length: count }, () => startTokenProcess({ ...settings, keys })))
}

async function startTokenProcess(settings: TokenProcessSettings): Promise<TokenProcess> {
  const { redisUrl, issuer, clientId = 'app', clientSecret = 'secret', keys = '', app = APP } = settings
  const child = fork(app, {
    // The test runner's own flags resolve the package to its sources.
    execArgv: [],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    env: {
      ...process.env,
      REDIS_URL: redisUrl,
      COATCHECK_KEYS: keys,
      STORE: JSON.stringify(PATIENT),
      ISSUER: issuer,
      CLIENT_ID: clientId,
      CLIENT_SECRET: clientSecret,
    },
  })
  const waiting = new Map<number, { resolve: (value: never) => void; reject: (error: Error) => void }>()
  let number = 0
  child.on('message', ({ id, result, error }: { id: number; result?: unknown; error?: string }) => {
    const caller = waiting.get(id)
    waiting.delete(id)
    if (error === undefined) caller?.resolve(result as never)
    else caller?.reject(new Error(error))
  })
  child.on('exit', () => {
    for (const { reject } of waiting.values()) reject(new Error('the process has ended'))
    waiting.clear()
  })
  await Promise.race([once(child, 'message'), failsOn(child)])
  return {
    pid: child.pid ?? 0,
    ask: (operation, input) =>
      new Promise((resolve, reject) => {
        waiting.set(++number, { resolve, reject })
        child.send({ id: number, operation, input })
      }),
    signal: (name) => void child.kill(name),
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return
      child.kill('SIGKILL')
      await once(child, 'exit')
    },
  }
}

async function failsOn(child: ChildProcess): Promise<never> {
  const [code] = (await once(child, 'exit')) as [number | null]
  throw new Error(`the process ended with ${code ?? 'a signal'} before it was ready`)
}
