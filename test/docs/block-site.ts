/** A small application with a signed-in user. Tests compare its answers with the pages about routes and forms. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { coatcheck } from '../../src/app/coatcheck.ts'
import { memoryStore } from '../../src/stores/memory/memory-store.ts'
import { nodeAuth } from '../../src/adapters/node.ts'

export interface Site {
  readonly origin: string
  /** As the signed-in user. */
  get(path: string): Promise<unknown>
  /** Submits the form of a page as a browser of that user would. @returns the status */
  submit(form: string): Promise<number>
  close(): Promise<void>
}

export async function startSite(): Promise<Site> {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const origin = `http://localhost:${(server.address() as AddressInfo).port}`
  const auth = coatcheck({ store: memoryStore(), baseUrl: origin })
  const web = nodeAuth(auth)
  server.on('request', (request, response) => {
    web.handle(request, response).catch((error: unknown) => {
      if (!web.handleError(error, request, response)) response.writeHead(500).end()
    })
  })
  const signIn = async (): Promise<{ cookie: string; id: string }> => {
    const device = { browser: 'Firefox', system: 'Linux', ip: '203.0.113.0/24' }
    const input = { userId: 'ada', profile: { name: 'Ada Lovelace' }, device }
    const created = await auth.sessions.signIn(null, input)
    return { cookie: `coatcheck=${created.ticket}`, id: created.session.id ?? '' }
  }
  const visitor = await signIn()
  return {
    origin,
    async get(path) {
      const response = await fetch(`${origin}${path}`, { headers: { cookie: visitor.cookie } })
      return response.json() as Promise<unknown>
    },
    async submit(form) {
      const { cookie, id } = await signIn()
      const action = attribute(form, 'action').replace('Jx0…', id)
      const method = attribute(form, 'method').toUpperCase()
      const inputs = [...form.matchAll(/<input\b[^>]*>/g)].map(([input]) => input)
      const fields = inputs.map((input): [string, string] => [attribute(input, 'name'), attribute(input, 'value')])
      const headers = { accept: 'text/html', cookie, origin, 'content-type': 'application/x-www-form-urlencoded' }
      const body = new URLSearchParams(fields).toString()
      const response = await fetch(`${origin}${action}`, { method, headers, body, redirect: 'manual' })
      return response.status
    },
    async close() {
      server.closeAllConnections()
      server.close()
      await auth.close()
    },
  }
}

function attribute(tag: string, name: string): string {
  return new RegExp(`\\b${name}="([^"]*)"`).exec(tag)?.[1] ?? ''
}
