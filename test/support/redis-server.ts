/**
 * A real redis-server for tests: its own port, its own folder, nothing persisted unless asked for. It runs under a shell
 * that waits on a pipe to this process, so the server ends with us however we end (also by SIGKILL), even while paused.
 */
import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { HANG_MS } from '../lab/limits.ts'

const run = promisify(execFile)
const START_MS = HANG_MS
// `cat` returns when the pipe closes: when stop() closes it, or when this process is gone.
const GUARD = 'redis-server "$@" >/dev/null 2>&1 & echo $!; cat >/dev/null; kill -9 $! 2>/dev/null; wait $!'

export interface RedisServerOptions {
  /** Further command line arguments, e.g. `['--requirepass', 'x']`. They come last, so they win. */
  readonly args?: readonly string[]
  /** Default: a free one. 0 with `unixSocket`: no TCP port at all. */
  readonly port?: number
  /** Lines of a configuration: then it is a sentinel. */
  readonly sentinel?: readonly string[]
  /** Added to the environment of the server. */
  readonly env?: NodeJS.ProcessEnv
  /** True for a socket in the server's folder, or a path. `url` is then `unix://…`. */
  readonly unixSocket?: boolean | string
}

export interface RedisServer {
  /** Without credentials: `redis://127.0.0.1:<port>` or `unix://<path>`. */
  readonly url: string
  readonly port: number
  /** Changes with every restart. */
  readonly pid: number
  /** The server's folder; files of a test may be put there, they go with it. */
  readonly dir: string
  readonly socketPath: string | null
  /** SIGTERM, then SIGKILL; removes the folder. Idempotent. */
  stop(): Promise<void>
  /** SIGSTOP: connections stay open and accepted, nothing is answered. */
  pause(): void
  /** SIGCONT. */
  resume(): void
  /** SIGKILL; resolves when connections are refused. The folder stays, for `restart`. */
  kill(): Promise<void>
  /** Starts again on the same port and folder, after a kill or instead of one. `save` snapshots first, so the data stays. */
  restart(options?: { readonly save?: boolean }): Promise<void>
  /** `redis-cli` against this server; its output without the last newline. */
  cli(...args: string[]): Promise<string>
}

/**
 * A port that nothing listens on, below the range from which the system takes the ports of outgoing connections: one of those could take
 * the port before its server starts.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(12_000, 32_000)
    const server = createServer()
    const isFree = await new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false)).listen(port, '127.0.0.1', () => resolve(true))
    })
    if (!isFree) continue
    server.close()
    await once(server, 'close')
    return port
  }
}

export async function startRedisServer(options: RedisServerOptions = {}): Promise<RedisServer> {
  const dir = mkdtempSync(join(tmpdir(), 'coatcheck-redis-'))
  const socketPath = options.unixSocket === true ? join(dir, 's') : options.unixSocket || null
  const port = options.port ?? (await freePort())
  let child: ChildProcess | null = null
  let pid = 0

  const start = async (): Promise<void> => {
    const common = ['--port', String(port), '--bind', '127.0.0.1', '--dir', dir]
    const args = options.sentinel
      ? [join(dir, 'sentinel.conf'), ...common, '--sentinel']
      : [...common, '--save', '', '--appendonly', 'no']
    args.push(
      '--logfile',
      join(dir, 'log'),
      ...(socketPath ? ['--unixsocket', socketPath] : []),
      ...(options.args ?? []),
    )
    const env = { ...process.env, ...options.env }
    const started = spawn('sh', ['-c', GUARD, 'sh', ...args], { stdio: ['pipe', 'pipe', 'ignore'], env })
    // The guard may be gone when stop() closes the pipe: that is what was wanted.
    started.stdin.on('error', () => undefined)
    child = started
    const lines = createInterface({ input: started.stdout })
    const [line] = (await once(lines, 'line')) as [string]
    lines.close()
    pid = Number(line)
    const deadline = performance.now() + START_MS
    while (!(await accepts())) {
      if (performance.now() > deadline) throw new Error(`redis-server on port ${port} does not start; see ${dir}/log`)
      await sleep(10)
    }
  }
  const accepts = (): Promise<boolean> =>
    accepting(tcpPort() === 0 && socketPath ? { path: socketPath } : { port: tcpPort() })
  // With TLS the plain port is 0 and the TLS port stands in the arguments.
  const tcpPort = (): number => {
    const at = options.args?.indexOf('--tls-port') ?? -1
    return at >= 0 ? Number(options.args?.[at + 1]) : port
  }
  const signal = (name: NodeJS.Signals): void => {
    try {
      process.kill(pid, name)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
    }
  }
  const end = async (name: 'SIGTERM' | 'SIGKILL'): Promise<void> => {
    if (!child) return
    const ending = child
    child = null
    // A paused server takes no SIGTERM; one that is killed must not answer first.
    if (name === 'SIGTERM') signal('SIGCONT')
    signal(name)
    const deadline = performance.now() + 2000
    while (performance.now() < deadline && (await accepts())) await sleep(5)
    const exited = ending.exitCode === null && ending.signalCode === null ? once(ending, 'exit') : null
    ending.stdin?.end()
    await exited
  }

  const cli = async (...args: string[]): Promise<string> => {
    const target = socketPath ? ['-s', socketPath] : ['-p', String(port)]
    const { stdout } = await run('redis-cli', [...target, ...args], { timeout: HANG_MS })
    return stdout.replace(/\n$/, '')
  }

  if (options.sentinel) writeFileSync(join(dir, 'sentinel.conf'), `${options.sentinel.join('\n')}\n`)
  await start()
  return {
    url: socketPath ? `unix://${socketPath}` : `redis://127.0.0.1:${port}`,
    port,
    get pid() {
      return pid
    },
    dir,
    socketPath,
    async stop() {
      await end('SIGTERM')
      rmSync(dir, { recursive: true, force: true })
    },
    pause: () => signal('SIGSTOP'),
    resume: () => signal('SIGCONT'),
    kill: () => end('SIGKILL'),
    async restart({ save = false } = {}) {
      if (save && child) await cli('save')
      await end('SIGTERM')
      await start()
    },
    cli,
  }
}

function accepting(target: { port: number } | { path: string }): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', ...target })
    const done = (answer: boolean) => {
      socket.destroy()
      resolve(answer)
    }
    socket.once('connect', () => done(true)).once('error', () => done(false))
  })
}
