/**
 * The demo as users start it: `scripts/demo.mjs` as a process of its own, on free ports, with everything it prints.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'

const script = fileURLToPath(new URL('../../scripts/demo.mjs', import.meta.url))

export interface DemoOptions {
  readonly arguments?: readonly string[]
  readonly env?: NodeJS.ProcessEnv
  readonly port?: number
}

export interface Demo {
  readonly process: ChildProcess
  readonly port: number
  readonly url: string
  readonly providerUrl: string
  readonly output: () => { readonly stdout: string; readonly stderr: string }
  /** Requests at the provider since the start, by route or `token:<grant type>`. */
  counters(): Promise<Readonly<Record<string, number>>>
  /** @returns the exit code, `null` after a signal */
  stop(signal?: NodeJS.Signals): Promise<number | null>
  /** Resolves with the exit code when it has ended by itself. */
  ended(): Promise<number | null>
}

/** Resolves when it says `ready`, or when it has ended before. */
export async function startDemo(options: DemoOptions = {}): Promise<Demo> {
  const port = options.port ?? (await freePorts(2))
  const idpPort = await freePorts(1)
  const { REDIS_URL: _, COATCHECK_KEYS: __, ...inherited } = process.env
  const child = spawn(process.execPath, [script, ...(options.arguments ?? [])], {
    env: { ...inherited, PORT: String(port), IDP_PORT: String(idpPort), ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const text = { stdout: '', stderr: '' }
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (text.stdout += chunk))
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (text.stderr += chunk))
  const exited = once(child, 'close').then(([code]) => code as number | null)
  const ready = new Promise<void>((resolve) => {
    child.stdout.on('data', () => {
      if (text.stdout.includes('ready ')) resolve()
    })
  })
  await Promise.race([ready, exited])
  const providerUrl = `http://127.0.0.1:${idpPort}`
  return {
    process: child,
    port,
    url: `http://localhost:${port}`,
    providerUrl,
    output: () => ({ ...text }),
    counters: async () => (await (await fetch(`${providerUrl}/counters`)).json()) as Record<string, number>,
    stop(signal = 'SIGTERM') {
      if (child.exitCode === null && child.signalCode === null) child.kill(signal)
      return exited
    },
    ended: () => exited,
  }
}

/** The first of `count` consecutive ports that nothing listens on. */
async function freePorts(count: number): Promise<number> {
  for (;;) {
    const servers = [await listen(0)]
    const first = (servers[0]?.address() as AddressInfo).port
    try {
      while (servers.length < count) servers.push(await listen(first + servers.length))
      return first
    } catch {
      // The next one is taken: try elsewhere.
    } finally {
      for (const server of servers) server.close()
    }
  }
}

async function listen(port: number): Promise<ReturnType<typeof createServer>> {
  const server = createServer()
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  return server
}
