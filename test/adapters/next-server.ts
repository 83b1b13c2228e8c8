/**
 * The scenario application in a Next of the wanted version: built in a process without a single environment variable, then
 * served from this one, so that the test's own instance and clock are those of the application.
 */
import { spawn } from 'node:child_process'
import { cpSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createRequire } from 'node:module'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Coatcheck } from '../../src/coatcheck.ts'
import type { ScenarioData } from '../../src/testing/http-scenario-app.ts'

const ROOT = resolve(import.meta.dirname, '../..')

export interface NextScenarioApp {
  readonly buildOutput: string
  serve(auth: Coatcheck<ScenarioData>): Server
  remove(): void
}

interface NextServer {
  prepare(): Promise<void>
  getRequestHandler(): (request: IncomingMessage, response: ServerResponse) => Promise<void>
  close(): Promise<void>
}

/** @param host folder below test/hosts whose Next is used */
export async function buildNextApp(host: 'next15' | 'next16'): Promise<NextScenarioApp> {
  const folder = join(ROOT, 'test/hosts', host)
  const dir = join(folder, `.app-${process.pid}`)
  rmSync(dir, { recursive: true, force: true })
  mkdirSync(dir)
  cpSync(join(ROOT, 'test/hosts/next-app'), dir, { recursive: true })
  // Next 15 knows the file by its old name, and runs it in the edge runtime unless told otherwise.
  if (host === 'next15') renameSync(join(dir, 'proxy.js'), join(dir, 'proxy-of-16.js'))
  const require = createRequire(join(folder, 'package.json'))
  const buildOutput = await build(require.resolve('next/dist/bin/next'), dir)
  return {
    buildOutput,
    serve(auth) {
      Object.assign(globalThis, { [Symbol.for('coatcheck.scenario.auth')]: auth })
      return createServer(lazily(require.resolve('next'), dir))
    },
    remove: () => rmSync(dir, { recursive: true, force: true }),
  }
}

function lazily(next: string, dir: string): (request: IncomingMessage, response: ServerResponse) => void {
  const handler = (async () => {
    Object.assign(process.env, { SCENARIO_ROOT: ROOT, NODE_ENV: 'production' })
    const { default: create } = (await import(pathToFileURL(next).href)) as {
      default: (options: object) => NextServer
    }
    const app = create({ dir, dev: false, quiet: true, conf: undefined })
    await app.prepare()
    return app.getRequestHandler()
  })()
  return (request, response) => {
    handler
      .then((handle) => handle(request, response))
      .catch((error: unknown) => response.destroy(error instanceof Error ? error : undefined))
  }
}

/** Nothing in the environment but what finds Node, and where this is. */
function build(bin: string, dir: string): Promise<string> {
  const env = {
    PATH: process.env['PATH'] ?? '',
    HOME: process.env['HOME'] ?? '/',
    SCENARIO_ROOT: ROOT,
    NEXT_TELEMETRY_DISABLED: '1',
  }
  return new Promise((done, fail) => {
    const child = spawn(process.execPath, [bin, 'build'], { cwd: dir, env: env as unknown as NodeJS.ProcessEnv })
    let output = ''
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => (output += text))
    child.on('error', fail)
    child.on('close', (code) =>
      code === 0 ? done(output) : fail(new Error(`next build ended with ${code}:\n${output}`)),
    )
  })
}
