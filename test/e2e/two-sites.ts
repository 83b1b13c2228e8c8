/**
 * An application on http://localhost and its provider on http://127.0.0.1: to browsers, these are two sites. Both run in the process of the
 * test, on free ports.
 */
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type NodeAuth, nodeAuth } from '../../src/adapters/node.ts'
import { type Coatcheck, coatcheck } from '../../src/app/coatcheck.ts'
import { type DevProvider, startDevProvider } from '../../src/dev/dev-provider.ts'
import type { DevProviderOptions } from '../../src/dev/options.ts'
import { memoryStore } from '../../src/stores/memory/memory-store.ts'
import { oidc, type OidcOptions } from '../../src/oidc/provider.ts'

type Data = Record<string, unknown>

export interface Application {
  readonly url: string
  readonly auth: Coatcheck<Data>
  readonly provider: DevProvider
  close(): Promise<void>
}

export interface ApplicationOptions {
  /** Sees each request before it is handled. */
  readonly observe?: (request: IncomingMessage, response: ServerResponse) => void
  readonly sameSite?: 'lax' | 'strict'
  readonly oidc?: Partial<OidcOptions>
  readonly provider?: DevProviderOptions
  /** Answers what the routes of Coatcheck do not. Default: the page with the sign-out button. */
  readonly page?: (web: NodeAuth<Data>, request: IncomingMessage, response: ServerResponse) => Promise<void>
}

export async function startApplication(options: ApplicationOptions = {}): Promise<Application> {
  let handle: RequestListener = (_request, response) => void response.writeHead(503).end()
  const server = await serve((request, response) => handle(request, response), 'localhost')
  const provider = await startDevProvider({ redirectUris: [`${server.url}/auth/callback`], ...options.provider })
  const { issuer, clientId, clientSecret } = provider
  const auth = coatcheck({
    baseUrl: server.url,
    store: memoryStore({ name: randomUUID() }),
    providers: [oidc({ name: 'op', issuer, clientId, clientSecret, ...options.oidc })],
    ...(options.sameSite && { session: { cookie: { sameSite: options.sameSite } } }),
  })
  const web = nodeAuth(auth)
  const page = options.page ?? signOutPage
  handle = (request, response) => {
    options.observe?.(request, response)
    const work = async (): Promise<void> => {
      if (!(await web.handle(request, response))) await page(web, request, response)
    }
    work().catch((error: unknown) => {
      if (!web.handleError(error, request, response)) response.destroy()
    })
  }
  return {
    url: server.url,
    auth,
    provider,
    async close() {
      await server.close()
      await auth.close()
      await provider.close()
    },
  }
}

export async function signOutPage(
  web: NodeAuth<Data>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { user } = await web.getSession(request, response)
  const button = '<form method="post" action="/auth/logout"><button>Sign out</button></form>'
  writeHtml(response, user ? `<h1>Signed in</h1>${button}` : '<h1>Signed out</h1><a href="/auth/login">Sign in</a>')
}

export function writeHtml(response: ServerResponse, main: string): void {
  response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' })
  response.end(`<!doctype html><html lang="en"><link rel="icon" href="data:,"><title>Page</title>${main}</html>`)
}

/** A server on a free port of `host`, which browsers see as a site of its own. */
export async function serve(
  handle: RequestListener,
  host: 'localhost' | '127.0.0.1',
): Promise<{ readonly url: string; close(): Promise<void> }> {
  const server = createServer(handle).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://${host}:${(server.address() as AddressInfo).port}`,
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}
