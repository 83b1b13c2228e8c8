/**
 * The scenario application in a Next of the wanted version: built by scripts/build-next.mjs in a process without a single setting,
 * then served from this one, so that the test's own instance and clock are those of the application.
 */
import { execFile } from 'node:child_process'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createRequire } from 'node:module'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import type { Coatcheck } from '../../src/app/coatcheck.ts'
import type { ScenarioData } from '../../src/testing/http-scenario-app.ts'

const ROOT = resolve(import.meta.dirname, '../..')

interface NextServer {
  prepare(): Promise<void>
  getRequestHandler(): (request: IncomingMessage, response: ServerResponse) => Promise<void>
}

/** Built already when all tests are run. */
export async function buildNextApp(host: 'next15' | 'next16'): Promise<void> {
  await promisify(execFile)(process.execPath, [join(ROOT, 'scripts/build-next.mjs'), host])
}

/** @returns a server that is not listening yet; Next gets ready with its first request */
export function nextServer(host: 'next15' | 'next16', auth: Coatcheck<ScenarioData>): Server {
  Object.assign(globalThis, { [Symbol.for('coatcheck.scenario.auth')]: auth })
  const dir = join(ROOT, 'test/hosts', host, '.app')
  const handler = prepare(createRequire(join(dir, 'package.json')).resolve('next'), dir)
  return createServer((request, response) => {
    handler
      .then((handle) => handle(request, response))
      .catch((error: unknown) => response.destroy(error instanceof Error ? error : undefined))
  })
}

async function prepare(next: string, dir: string): Promise<ReturnType<NextServer['getRequestHandler']>> {
  Object.assign(process.env, { SCENARIO_ROOT: ROOT, NODE_ENV: 'production' })
  const { default: create } = (await import(pathToFileURL(next).href)) as { default: (options: object) => NextServer }
  const app = create({ dir, dev: false, quiet: true })
  await app.prepare()
  return app.getRequestHandler()
}
