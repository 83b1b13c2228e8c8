/** Runs a command on a pseudo-terminal, so that it asks its questions. `script` of util-linux makes the terminal. */
import { execFileSync, spawn } from 'node:child_process'
import { vi } from 'vitest'
import type { Ended } from './command-line.ts'

const ANSWER_MS = 60_000

export interface TerminalRun {
  /** Resolves when the screen shows the text, counted from the last call on. Rejects when the command ends before. */
  shows(text: string): Promise<void>
  /** Types keys: `'\r'` is Enter, `'\u0003'` is Ctrl+C. */
  type(keys: string): void
  /** Everything that the screen has shown until now. */
  screen(): string
  /** Sends a signal to the command itself, not to the program that holds the terminal. */
  signalCommand(name: NodeJS.Signals): void
  /** `code` is that of the command; `stdout` is the screen. */
  readonly ended: Promise<Ended>
}

/** @param env the whole environment of the command */
export function onTerminal(command: readonly string[], folder: string, env: NodeJS.ProcessEnv): TerminalRun {
  const line = command.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(' ')
  const child = spawn(
    'script',
    ['--quiet', '--return', '--command', `stty cols 100 rows 40; exec ${line}`, '/dev/null'],
    {
      cwd: folder,
      env: { TERM: 'xterm', SHELL: '/bin/sh', ...env },
      stdio: ['pipe', 'pipe', 'pipe'],
    },
  )
  let screen = ''
  let seen = 0
  let hasEnded = false
  child.stdout.setEncoding('utf8').on('data', (text: string) => (screen += text))
  const ended = new Promise<Ended>((resolve) =>
    child.on('close', (code) => {
      hasEnded = true
      resolve({ code, stdout: screen, stderr: '' })
    }),
  )
  return {
    async shows(text) {
      const isShown = (): boolean => {
        if (screen.indexOf(text, seen) >= 0) return true
        if (hasEnded) throw new Error(`The command ended before it showed "${text}":\n${screen.slice(seen)}`)
        return false
      }
      await vi.waitUntil(isShown, { timeout: ANSWER_MS, interval: 20 })
      seen = screen.indexOf(text, seen) + text.length
    },
    type: (keys) => void child.stdin.write(keys),
    screen: () => screen,
    signalCommand(name) {
      const [pid] = execFileSync('ps', ['-o', 'pid=', '--ppid', String(child.pid)], { encoding: 'utf8' })
        .trim()
        .split('\n')
      process.kill(Number(pid), name)
    },
    ended,
  }
}
