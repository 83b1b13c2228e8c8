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
  /** Runs it to its end. */
  run(args: readonly string[], env?: Readonly<Record<string, string>>): Promise<Ended>
  /** Starts it, for what is interrupted or watched. */
  start(args: readonly string[], env?: Readonly<Record<string, string>>): Running
  remove(): void
}

export interface Running {
  readonly pid: number
  readonly ended: Promise<Ended>
  /** What has been written to stdout until now. */
  stdout(): string
  stderr(): string
  signal(name: NodeJS.Signals): void
}

/** @param env for every run in it; nothing of the test's own environment but `PATH` reaches the command */
export function commandFolder(env: Readonly<Record<string, string>> = {}): CommandFolder {
  const path = mkdtempSync(join(tmpdir(), 'coatcheck-cli-'))
  const start: CommandFolder['start'] = (args, more = {}) => {
    const child = spawn(process.execPath, [BIN, ...args], {
      cwd: path,
      env: { PATH: process.env.PATH, HOME: path, COATCHECK_RUN: process.env.COATCHECK_RUN, ...env, ...more },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let stdout = ''
    let stderr = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
    return {
      pid: child.pid ?? 0,
      stdout: () => stdout,
      stderr: () => stderr,
      signal: (name) => child.kill(name),
      ended: new Promise((ended) => child.on('close', (code) => ended({ code, stdout, stderr }))),
    }
  }
  return {
    path,
    write: (file, text) => writeFileSync(join(path, file), text),
    run: (args, more) => start(args, more).ended,
    start,
    remove: () => rmSync(path, { recursive: true, force: true }),
  }
}
