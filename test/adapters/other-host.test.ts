/** Development at http://localhost, opened by another name of the same machine: each adapter says which address to open. */
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import express from 'express'
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest'
import { expressAuth } from '../../src/adapters/express.ts'
import { type Coatcheck, coatcheck } from '../../src/app/coatcheck.ts'
import { type DevProvider, startDevProvider } from '../../src/entries/dev.ts'
import { oidc } from '../../src/oidc/provider.ts'
import type { ScenarioData } from '../../src/testing/http-scenario-app.ts'
import { sendRaw } from '../../src/testing/raw-http.ts'
import { freePort } from '../support/redis-server.ts'
import { fastifyServer, honoServer, nodeServer } from './scenario-servers.ts'

const html = { accept: 'text/html', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' }
let provider: DevProvider
beforeAll(async () => {
  provider = await startDevProvider({})
})
afterAll(() => provider.close())

describe.each<[string, (auth: Coatcheck<ScenarioData>) => Server | Promise<Server>]>([
  ['Express', (auth) => createServer(express().use(expressAuth(auth)))],
  ['Fastify', fastifyServer],
  ['Hono', honoServer],
  ['Node', nodeServer],
])('%s', (_name, serve) => {
  const closing: (() => Promise<unknown>)[] = []
  afterAll(async () => {
    for (const close of closing.splice(0).reverse()) await close()
  })

  async function listening(baseUrl: string): Promise<string> {
    const { issuer, clientId, clientSecret } = provider
    const auth = coatcheck<ScenarioData>({
      baseUrl,
      providers: [oidc({ name: 'dev', issuer, clientId, clientSecret })],
    })
    closing.push(() => auth.close())
    const server = (await serve(auth)).listen(0, '127.0.0.1')
    closing.push(() => new Promise((done) => server.close(done)))
    await once(server, 'listening')
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  }

  it.each([
    ['http://localhost:3000', '127.0.0.1:3000'],
    ['http://127.0.0.1:3000', 'localhost:3000'],
    ['http://localhost:3000', '[::1]:3000'],
    ['http://localhost:3000', '192.168.1.20:3000'],
    ['http://localhost:3000', 'app.localhost:3000'],
  ])('with the base URL %s a sign-in at %s names the address to open', async (baseUrl, host) => {
    const origin = await listening(baseUrl)
    const answer = await sendRaw(origin, '/auth/login?returnTo=/x', { headers: { ...html, host } })
    expect(answer.status).toBe(400)
    expect(answer.body).toContain(`<h1>Open ${baseUrl} instead</h1>`)
    expect(answer.body).toContain(`http://${host}`)
    expect(answer.body).toContain(`href="${baseUrl}/"`)
    expect(answer.headers.get('set-cookie')).toBeUndefined()
    expect(answer.headers.get('cache-control')).toContain('no-store')
  })

  it.each([
    ['http://localhost:3000', 'localhost:3000', 'the host of the base URL'],
    ['http://localhost:3000', 'web:3000', 'the name of a service behind a proxy'],
    ['https://app.example', '10.0.0.7', 'an instance behind a proxy in production'],
  ])('base URL %s, host %s: a sign-in goes on (%s)', async (baseUrl, host) => {
    const production = baseUrl.startsWith('https')
    if (production) {
      await expectProductionGoesOn(host)
      return
    }
    const answer = await sendRaw(await listening(baseUrl), '/auth/login', { headers: { ...html, host } })
    expect(answer.status).toBeLessThan(400)
    expect(answer.body).not.toContain('instead')
  })

  it.each(['localhost', '127.0.0.1'])(
    'with nothing at the port of the base URL, a browser at %s reads where a sign-in would end',
    async (name) => {
      const baseUrl = `http://localhost:${await freePort()}`
      const host = `${name}:3100`
      const answer = await sendRaw(await listening(baseUrl), '/auth/login', { headers: { ...html, host } })
      expect(answer.status).toBe(400)
      expect(answer.body).toContain(`<h1>Nothing answers at ${baseUrl}</h1>`)
      expect(answer.body).toContain(`set COATCHECK_BASE_URL to http://${host}`)
      expect(answer.headers.get('set-cookie')).toBeUndefined()
    },
  )

  it('a sign-in continues behind a proxy that changes Host, and one line reports it', async () => {
    const proxy = createServer().listen(0, 'localhost')
    closing.push(() => new Promise((done) => proxy.close(done)))
    await once(proxy, 'listening')
    const baseUrl = `http://localhost:${(proxy.address() as AddressInfo).port}`
    const stderr = vi.spyOn(process.stderr, 'write').mockReturnValue(true)
    onTestFinished(() => stderr.mockRestore())
    const origin = await listening(baseUrl)
    for (let i = 0; i < 2; i++) {
      const answer = await sendRaw(origin, '/auth/login', { headers: { ...html, host: 'localhost:4000' } })
      expect(answer.status).toBeLessThan(400)
    }
    const lines = stderr.mock.calls.map(([line]) => String(line)).filter((line) => line.includes('localhost:4000'))
    expect(lines).toEqual([expect.stringContaining(`the base URL is ${baseUrl}`)])
  })

  it('a program that is no browser goes on at another port, as in tests on a free port', async () => {
    const origin = await listening(`http://localhost:${await freePort()}`)
    const headers = { accept: 'text/html', host: 'localhost:3100' }
    expect((await sendRaw(origin, '/auth/login', { headers })).status).toBeLessThan(400)
  })

  async function expectProductionGoesOn(host: string): Promise<void> {
    const { answerToOtherHost } = await import('../../src/http/other-host.ts')
    const headers = new Headers(html)
    const place = { baseUrl: new URL('https://app.example'), basePath: '/auth', loopback: false, pages: {} as never }
    expect(await answerToOtherHost({ method: 'GET', path: '/auth/login', headers, host }, place)).toBeNull()
  }
})
