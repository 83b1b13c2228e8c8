/** A loopback base URL is for one machine: every adapter refuses other machines, for its routes and for sessions. */
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import express from 'express'
import { Hono } from 'hono'
import { afterEach, describe, expect, it } from 'vitest'
import { expressAuth } from '../../src/adapters/express.ts'
import { honoAuth } from '../../src/adapters/hono.ts'
import { routeHandlers } from '../../src/adapters/next.ts'
import { type Coatcheck, coatcheck } from '../../src/app/coatcheck.ts'
import type { Options } from '../../src/config/types.ts'
import { peerRefusal } from '../../src/http/local-peer.ts'
import type { ScenarioData } from '../../src/testing/http-scenario-app.ts'
import { type RawResponse, sendRaw } from '../../src/testing/raw-http.ts'
import { fastifyServer, honoServer, nodeServer } from './scenario-servers.ts'

type Serve = (auth: Coatcheck<ScenarioData>) => Server | Promise<Server>

const GATEWAY = '172.18.0.1'
const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

function authOf(options: Options<ScenarioData> = {}): Coatcheck<ScenarioData> {
  const auth = coatcheck<ScenarioData>({ baseUrl: 'http://localhost:3000', ...options })
  closing.push(() => auth.close())
  return auth
}

/** @param peer what the socket of every request shows as the address of its peer */
async function listening(serve: Serve, peer: string, options?: Options<ScenarioData>): Promise<string> {
  const server = await serve(authOf(options))
  server.on('connection', (socket) => Object.defineProperty(socket, 'remoteAddress', { value: peer }))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  closing.push(() => new Promise((done) => server.close(done)))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

function expressServer(auth: Coatcheck<ScenarioData>): Server {
  const web = expressAuth(auth)
  const app = express().set('trust proxy', 1).use(web)
  app.get('/me', (request, response, next) => {
    web.getSession(request).then((session) => response.json({ user: session.user }), next)
  })
  return createServer(app.use(web.errorHandler))
}

function expectRefused(answer: RawResponse): void {
  expect(answer.status).toBe(403)
  expect(JSON.parse(answer.body)).toMatchObject({ error: { code: 'COATCHECK_REQUEST_NOT_LOCAL', retryable: false } })
  expect(answer.headers.get('set-cookie')).toBeUndefined()
  expect(answer.headers.get('cache-control')).toContain('no-store')
}

describe.each<[string, Serve, string]>([
  ['Express', expressServer, '/me'],
  ['Fastify', fastifyServer, '/me'],
  ['Hono', honoServer, '/me'],
  ['Node', nodeServer, '/me'],
])('%s', (_name, serve, sessionPath) => {
  it.each(['192.168.1.20', '::ffff:203.0.113.9', '2001:db8::1', GATEWAY])(
    'refuses a request from %s, in its routes and for a session',
    async (peer) => {
      const origin = await listening(serve, peer)
      const headers = { host: 'localhost:3000' }
      expectRefused(await sendRaw(origin, '/auth/session', { headers }))
      expectRefused(await sendRaw(origin, sessionPath, { headers }))
      const page = await sendRaw(origin, '/auth/login', { headers: { ...headers, accept: 'text/html' } })
      expect(page.status).toBe(403)
      expect(page.body).toContain('COATCHECK_BASE_URL')
      expect(page.body).toContain('COATCHECK_REQUEST_NOT_LOCAL')
    },
  )

  it.each(['127.0.0.1', '127.8.9.10', '::1', '::ffff:127.0.0.1'])('serves a request from %s', async (peer) => {
    const origin = await listening(serve, peer)
    expect((await sendRaw(origin, '/auth/session')).status).toBe(401)
    expect((await sendRaw(origin, sessionPath)).status).toBe(200)
  })

  it('serves the addresses and networks of localPeers', async () => {
    for (const localPeers of [[GATEWAY], ['10.0.0.0/8', '172.18.0.0/16']]) {
      const origin = await listening(serve, GATEWAY, { localPeers })
      expect((await sendRaw(origin, '/auth/session')).status).toBe(401)
      expect((await sendRaw(origin, sessionPath)).status).toBe(200)
    }
  })
})

it('serves every peer when the base URL is on a public host', () => {
  const policy = { baseUrl: new URL('https://app.example'), loopback: false, localPeers: [] }
  expect(peerRefusal({ address: '203.0.113.9', host: 'app.example' }, policy)).toBeNull()
})

describe('behind a proxy on the same machine', () => {
  it('a client that the framework believes to be remote is refused', async () => {
    const origin = await listening(expressServer, '127.0.0.1')
    const headers = { 'x-forwarded-for': '198.51.100.20' }
    expectRefused(await sendRaw(origin, '/auth/session', { headers }))
    expectRefused(await sendRaw(origin, '/me', { headers }))
    expect((await sendRaw(origin, '/auth/session', { headers: { 'x-forwarded-for': '127.0.0.1' } })).status).toBe(401)
  })
})

describe('where the adapter does not see the socket, the Host header decides', () => {
  const ask = (host: string): Request => new Request(`http://${host}/auth/session`, { headers: { host } })

  it.each([
    ['localhost:3000', 401],
    ['[::1]:3000', 401],
    ['app.example', 403],
    ['192.168.1.20:3000', 403],
  ])('%s: %i', async (host, status) => {
    expect((await routeHandlers(authOf()).GET(ask(host))).status).toBe(status)
    const web = honoAuth(authOf())
    expect((await new Hono().use(web).request(ask(host))).status).toBe(status)
  })
})
