import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, it } from 'vitest'
import { keepUncached } from './uncached-response.ts'

const PUBLIC = 'public, max-age=60'

it('needs no more of a response than setHeader()', () => {
  const headers = new Map<string, unknown>()
  const response = { setHeader: (name: string, value: unknown) => headers.set(name, value) }
  keepUncached(response)
  response.setHeader('cache-control', PUBLIC)
  expect([...headers]).toEqual([['Cache-Control', 'private, no-store']])
})

const CHANGES: [string, string][] = [
  ['CDN-Cache-Control', PUBLIC],
  ['Cloudflare-CDN-Cache-Control', PUBLIC],
  ['X-LiteSpeed-Cache-Control', PUBLIC],
  ['Akamai-Cache-Control', PUBLIC],
  ['Surrogate-Control', 'max-age=60'],
  ['Edge-Control', 'max-age=60'],
  ['X-Accel-Expires', '60'],
]

it.each<[string, (response: ServerResponse) => void]>([
  ['setHeader', (response) => response.setHeader('cache-control', PUBLIC).end()],
  ['removeHeader', (response) => (response.removeHeader('Cache-Control'), response.end())],
  [
    'writeHead with an object',
    (response) => response.writeHead(200, { 'Cache-Control': PUBLIC, 'X-Other': '1' }).end(),
  ],
  ['writeHead with a message', (response) => response.writeHead(200, 'OK', { 'cache-control': PUBLIC }).end()],
  ['writeHead with a list', (response) => response.writeHead(200, ['X-Other', '1', 'Cache-Control', PUBLIC]).end()],
  [
    'flushHeaders',
    (response) => (response.setHeader('cache-control', PUBLIC), response.flushHeaders(), response.end()),
  ],
  ['setHeaders', (response) => response.setHeaders(new Headers({ 'cache-control': PUBLIC })).end()],
  ['appendHeader', (response) => response.appendHeader('cache-control', PUBLIC).end()],
  [
    'a field of a content delivery network, before and after',
    (response) => {
      for (const [name, value] of CHANGES) response.setHeader(name, value)
      response.writeHead(200, Object.fromEntries(CHANGES)).end()
    },
  ],
  ['write', (response) => (response.setHeader('cache-control', PUBLIC), response.write('a'), response.end())],
])('%s does not replace no-store', async (_name, answer) => {
  const server = createServer((_request, response) => {
    // A listener that wrapped `writeHead` earlier, as `on-headers` does.
    const writeHead = response.writeHead.bind(response) as (...args: unknown[]) => ServerResponse
    response.writeHead = (...args: unknown[]) => {
      response.setHeader('cache-control', PUBLIC)
      return writeHead(...args)
    }
    for (const [name, value] of CHANGES) response.setHeader(name, value)
    keepUncached(response)
    keepUncached(response)
    answer(response)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const response = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`)
  await response.text()
  server.close()
  server.closeAllConnections()
  expect(response.headers.get('cache-control')).toBe('private, no-store')
  expect(CHANGES.map(([name]) => response.headers.get(name))).toEqual(CHANGES.map(() => null))
  if (_name.includes('object') || _name.includes('list')) expect(response.headers.get('x-other')).toBe('1')
})
