/** Starts the built `coatcheck dev` in the folder of an application, on free ports, and collects its output. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join, resolve } from 'node:path'
import { vi } from 'vitest'
import { freePort } from '../support/redis-server.ts'

const bin = join(resolve(import.meta.dirname, '../..'), 'dist/cli/bin.js')
const START_MS = 240_000

export interface Development {
  readonly process: ChildProcess
  readonly url: string
  readonly providerUrl: string
  readonly stdout: () => string
  readonly stderr: () => string
  /** The exit code; `null` after a signal. */
  readonly ended: Promise<number | null>
}

export interface DevelopmentOptions {
  readonly args?: readonly string[]
  /** Behind `--`. Default: the command finds the script of the project. */
  readonly command?: readonly string[]
  readonly env?: NodeJS.ProcessEnv
}

export async function startDevelopment(
  folder: string,
  { args = [], command = [], env = {} }: DevelopmentOptions = {},
): Promise<Development> {
  const [port, idpPort] = [await freePort(), await freePort()]
  const flags = ['--port', String(port), '--idp-port', String(idpPort), ...args]
  const child = spawn(process.execPath, [bin, 'dev', ...flags, ...(command.length > 0 ? ['--', ...command] : [])], {
    cwd: folder,
    env: { PATH: process.env.PATH, HOME: process.env.HOME, NEXT_TELEMETRY_DISABLED: '1', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  return {
    process: child,
    url: `http://localhost:${port}`,
    providerUrl: `http://127.0.0.1:${idpPort}`,
    stdout: () => stdout,
    stderr: () => stderr,
    ended: once(child, 'close').then(([code]) => code as number | null),
  }
}

/** Resolves when the command has said that the application listens. */
export async function ready(development: Development): Promise<Development> {
  const isReady = (): boolean => {
    if (development.process.exitCode !== null) throw new Error(`ended by itself: ${development.stderr()}`)
    return /^ready +http/m.test(development.stdout())
  }
  await vi.waitUntil(isReady, { timeout: START_MS, interval: 100 })
  return development
}
