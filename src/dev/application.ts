/**
 * The application that `coatcheck dev` runs. It has its own process group, so that a signal reaches all of its processes (`npm run` starts
 * a shell that starts the server). No process of it remains after this command ends, in any case.
 */
import { spawn } from 'node:child_process'
import { constants } from 'node:os'
import { startGuard } from './guard.ts'

const GRACE_MS = 5000
/** Exit codes as in shells: 128 plus the number of the signal. */
const SIGNAL_BASE = 128

export interface ApplicationCommand {
  readonly file: string
  readonly args: readonly string[]
  readonly folder: string
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Destination of its output: a file descriptor of this process. */
  readonly stdout: 1 | 2
}

export interface Application {
  /** Its exit code, or 128 plus the number of the signal that ended it. Rejects if it cannot be started. */
  readonly ended: Promise<number>
  /**
   * Sends SIGINT to the whole group, and SIGKILL to the remaining processes after 5 s. The second call sends SIGKILL at once. Further calls
   * have no effect.
   */
  stop(): void
  /** Stops the application and waits for its end. Idempotent. */
  close(): Promise<void>
}

export function startApplication(command: ApplicationCommand): Application {
  const child = spawn(command.file, command.args, {
    cwd: command.folder,
    env: { ...command.environment },
    // Its input stays open and silent, because some servers end when it closes.
    stdio: ['pipe', command.stdout, 2],
    detached: true,
  })
  child.stdin?.on('error', () => undefined)
  const group = child.pid
  const guard = group === undefined ? null : startGuard({ after: 'kill -9 "-$1" 2>/dev/null' }, [String(group)])
  let isStopping = false
  let hasEnded = false
  let late: NodeJS.Timeout | undefined

  const signal = (name: NodeJS.Signals): void => {
    try {
      // Never 0 or 1: these would address this process's own group, or every process.
      if (group !== undefined && group > 1) process.kill(-group, name)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
    }
  }
  const ended = new Promise<number>((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (code, name) => resolve(code ?? SIGNAL_BASE + (name === null ? 0 : constants.signals[name])))
  }).finally(() => {
    clearTimeout(late)
    // Ends processes that the application left behind.
    signal('SIGKILL')
    hasEnded = true
    guard?.dismiss()
    child.stdin?.destroy()
  })
  const stop = (): void => {
    if (hasEnded) return
    signal(isStopping ? 'SIGKILL' : 'SIGINT')
    if (!isStopping) late = setTimeout(signal, GRACE_MS, 'SIGKILL').unref()
    isStopping = true
  }
  return {
    ended,
    stop,
    async close() {
      if (!isStopping) stop()
      await ended.catch(() => undefined)
    },
  }
}
