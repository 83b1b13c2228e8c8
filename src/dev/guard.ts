/**
 * Guards run a cleanup when this process ends, in any case. A shell in its own session waits on a pipe to this process. When the pipe
 * closes, because this process closed it or ended (SIGKILL included), the shell runs its last line.
 */
import { type ChildProcess, spawn } from 'node:child_process'

/** Shell commands to run before the wait, and after it. Arguments are `$1` and so on. */
export interface GuardScript {
  readonly before?: string
  readonly after: string
}

export interface Guard {
  readonly shell: ChildProcess
  /** Runs the last line now. Resolves when it has finished. */
  release(): Promise<void>
  /** Cancels the guard: the last line does not run. */
  dismiss(): void
}

/** @param stdout destination of the output of `before` */
export function startGuard(script: GuardScript, args: readonly string[], stdout: 'pipe' | 'ignore' = 'ignore'): Guard {
  const line = [script.before, 'cat >/dev/null', script.after].filter(Boolean).join('\n')
  // Detached: Ctrl-C reaches every process in the terminal's session, and this process must control the order of the shutdown.
  const shell = spawn('sh', ['-c', line, 'sh', ...args], { stdio: ['pipe', stdout, 'ignore'], detached: true })
  // The shell may end before the pipe is closed.
  shell.stdin?.on('error', () => undefined)
  const ended = new Promise<void>((resolve) => {
    shell.once('close', () => resolve())
    shell.once('error', () => resolve())
  })
  return {
    shell,
    release() {
      shell.stdin?.end()
      return ended
    },
    dismiss() {
      shell.kill('SIGKILL')
      shell.stdin?.destroy()
    },
  }
}
