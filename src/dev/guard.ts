/**
 * Processes that end with us, however we end: a shell in a session of its own waits on a pipe to this process. When the pipe
 * closes, because we closed it or because we are gone (SIGKILL included), it carries out its last line.
 */
import { type ChildProcess, spawn } from 'node:child_process'

/** What a guard runs before it waits, and what when the wait is over. Arguments are `$1` and so on. */
export interface GuardScript {
  readonly before?: string
  readonly after: string
}

export interface Guard {
  readonly shell: ChildProcess
  /** Lets the last line be carried out now; resolves when it has been. */
  release(): Promise<void>
  /** There is nothing left to guard: the last line is not carried out. */
  dismiss(): void
}

/** @param stdout where `before` writes to */
export function startGuard(script: GuardScript, args: readonly string[], stdout: 'pipe' | 'ignore' = 'ignore'): Guard {
  const line = [script.before, 'cat >/dev/null', script.after].filter(Boolean).join('\n')
  // Detached: Ctrl-C reaches everything in the terminal's own session, and the order of the end is ours to decide.
  const shell = spawn('sh', ['-c', line, 'sh', ...args], { stdio: ['pipe', stdout, 'ignore'], detached: true })
  // It may be gone before the pipe is closed.
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
