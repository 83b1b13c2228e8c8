/** The command as users start it: a process of its own, in a folder of its own, with an environment that a test has chosen. */
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

const BIN = resolve(import.meta.dirname, '../../dist/cli/bin.js')

export interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface CommandFolder {
  readonly path: string
  write(file: string, text: string): void
  /** Runs it to its end. `input` is piped in. */
  run(args: readonly string[], env?: Readonly<Record<string, string>>, input?: string): Promise<Ended>
  /** Starts it, for what is interrupted or watched. `piped`: it reads what `write` gives it, else nothing. */
  start(args: readonly string[], env?: Readonly<Record<string, string>>, stdin?: 'ignore' | 'piped'): Running
  remove(): void
}

export interface Running {
  readonly pid: number
  readonly ended: Promise<Ended>
  /** What has been written to stdout until now. */
  stdout(): string
  stderr(): string
  signal(name: NodeJS.Signals): void
  /** Pipes text in. Without `end` more may come: the command goes on reading. */
  write(text: string, options?: { readonly end?: boolean }): void
  /** How much of it the command has not taken yet, beyond what a pipe holds. */
  pending(): number
}

/** @param env for every run in it; nothing of the test's own environment but `PATH` reaches the command */
export function commandFolder(env: Readonly<Record<string, string>> = {}): CommandFolder {
  const path = mkdtempSync(join(tmpdir(), 'coatcheck-cli-'))
  const start: CommandFolder['start'] = (args, more = {}, stdin = 'ignore') => {
    const child = spawn(process.execPath, [BIN, ...args], {
      cwd: path,
      env: { PATH: process.env.PATH, HOME: path, COATCHECK_RUN: process.env.COATCHECK_RUN, ...env, ...more },
      stdio: [stdin === 'piped' ? 'pipe' : 'ignore', 'pipe', 'pipe'],
    })
    let stdout = ''
    let stderr = ''
    child.stdout?.setEncoding('utf8').on('data', (text: string) => (stdout += text))
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (stderr += text))
    return {
      pid: child.pid ?? 0,
      stdout: () => stdout,
      stderr: () => stderr,
      signal: (name) => child.kill(name),
      write(text, { end = false } = {}) {
        if (end) child.stdin?.end(text)
        else child.stdin?.write(text)
      },
      pending: () => child.stdin?.writableLength ?? 0,
      ended: new Promise((ended) => child.on('close', (code) => ended({ code, stdout, stderr }))),
    }
  }
  return {
    path,
    write: (file, text) => writeFileSync(join(path, file), text),
    run(args, more, input) {
      const running = start(args, more, input === undefined ? 'ignore' : 'piped')
      if (input !== undefined) running.write(input, { end: true })
      return running.ended
    },
    start,
    remove: () => rmSync(path, { recursive: true, force: true }),
  }
}
