/** An application that demands a sign-in and never mounts the routes: the log says what to write. */
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import express from 'express'
import fastify from 'fastify'
import { describe, expect, it, onTestFinished } from 'vitest'
import { expressAuth } from '../../src/adapters/express.ts'
import { fastifyAuth } from '../../src/adapters/fastify.ts'
import { nodeAuth } from '../../src/adapters/node.ts'
import { type Coatcheck, coatcheck } from '../../src/app/coatcheck.ts'

type Serve = (auth: Coatcheck<Record<string, unknown>>, isMounted: boolean) => Server | Promise<Server>

const adapters: [name: string, mount: string, serve: Serve][] = [
  [
    'Express',
    'app.use(web)',
    (auth, isMounted) => {
      const web = expressAuth(auth)
      const app = express()
      if (isMounted) app.use(web)
      return createServer(app.get('/', web.requireUser()))
    },
  ],
  [
    'Fastify',
    'app.register(web)',
    async (auth, isMounted) => {
      const web = fastifyAuth(auth)
      const app = fastify()
      if (isMounted) await app.register(web)
      app.get(
        '/',
        web.withUser(() => 'in'),
      )
      await app.ready()
      return app.server
    },
  ],
  [
    'Node',
    'if (await web.handle(request, response)) return',
    (auth, isMounted) => {
      const web = nodeAuth(auth)
      return createServer((request, response) => {
        void (async () => {
          if (isMounted && (await web.handle(request, response))) return
          await web.requireUser(request, response)
        })()
      })
    },
  ],
]

describe.each(adapters)('%s', (_name, mount, serve) => {
  it.each([
    [false, [{ mount }]],
    [true, []],
  ])('mounted: %s', async (isMounted, expected) => {
    const auth = coatcheck()
    onTestFinished(() => auth.close())
    const told: unknown[] = []
    auth.events.on('request.unmounted', (event) => told.push(event))
    const server = (await serve(auth, isMounted)).listen(0, '127.0.0.1')
    onTestFinished(() => void server.close())
    await once(server, 'listening')
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
    for (let i = 0; i < 2; i++) {
      const { status } = await fetch(url, { redirect: 'manual', headers: { accept: 'application/json' } })
      expect(status).toBe(401)
    }
    expect(told).toEqual(expected)
  })
})
