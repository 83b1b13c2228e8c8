/** A process of its own that does what it is told with sessions, see `processes/session-app.mjs`. It runs the built package. */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { RedisStoreOptions } from '../../src/stores/redis/redis-store.ts'

const APP = fileURLToPath(new URL('./processes/session-app.mjs', import.meta.url))

interface Operations {
  create: { input: { users: string[]; data?: object }; result: { ticket: string; id: string }[] }
  find: { input: { tickets: string[] }; result: { user?: string; data?: Record<string, unknown>; reason?: string }[] }
  update: { input: { ticket: string; data: object }; result: undefined }
  end: { input: { ids: string[] }; result: undefined }
  load: { input: { tickets: string[] }; result: undefined }
}

export interface SessionProcessEvent {
  /** Of an ending. */
  readonly id?: string
  readonly durable?: boolean
  /** When it was answered: epoch milliseconds with fractions, to be compared with another process on this machine. */
  readonly atMs?: number
  /** Of a write under load, with the code of an error or `ok`; also of an ending that failed. */
  readonly ticket?: string
  readonly code?: string
  readonly ms?: number
  /** Of a shutdown: how long `close()` took, and the last operation. */
  readonly closedMs?: number
  readonly endedMs?: number
}

export interface SessionProcess {
  /** In the order in which they were heard of. */
  readonly events: readonly SessionProcessEvent[]
  ask<Name extends keyof Operations>(name: Name, input: Operations[Name]['input']): Promise<Operations[Name]['result']>
  onEvent(listener: (event: SessionProcessEvent) => void): void
  /** Resolves when the process has ended. @returns its exit code, or `null` for a signal */
  end(signal: 'SIGTERM' | 'SIGKILL'): Promise<number | null>
}

/** @param app of another build, see `old-build.ts` */
export async function startSessionProcess(
  keys: string,
  url: string,
  store: Pick<RedisStoreOptions, 'durability' | 'commandTimeoutMs'> = {},
  app = APP,
): Promise<SessionProcess> {
  const child = fork(app, {
    // The test runner's own flags resolve the package to its sources.
    execArgv: [],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    env: { ...process.env, REDIS_URL: url, COATCHECK_KEYS: keys, STORE: JSON.stringify(store) },
  })
  const events: SessionProcessEvent[] = []
  const waiting = new Map<number, { resolve: (value: never) => void; reject: (error: Error) => void }>()
  let number = 0
  let heard = (_event: SessionProcessEvent): void => undefined
  type Message = { id?: number; result?: unknown; error?: string; event?: SessionProcessEvent }
  const started = once(child, 'message')
  const exited = once(child, 'exit') as Promise<[number | null]>
  child.on('message', ({ id, result, error, event }: Message) => {
    if (event) {
      events.push(event)
      heard(event)
    }
    const caller = id === undefined ? undefined : waiting.get(id)
    if (error === undefined) caller?.resolve(result as never)
    else caller?.reject(new Error(error))
  })
  child.on('exit', () => {
    for (const { reject } of waiting.values()) reject(new Error('the process has ended'))
  })
  const early = exited.then(([code]) => Promise.reject(new Error(`the process ended with ${code} before it was ready`)))
  await Promise.race([started, early])
  early.catch(() => undefined)
  return {
    events,
    ask: (operation, input) =>
      new Promise((resolve, reject) => {
        waiting.set(++number, { resolve, reject })
        child.send({ id: number, operation, input })
      }),
    onEvent(listener) {
      heard = listener
    },
    async end(signal) {
      if (child.exitCode === null && child.signalCode === null) child.kill(signal)
      const [code] = await exited
      return code
    },
  }
}
