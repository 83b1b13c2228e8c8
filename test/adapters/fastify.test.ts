import fastify, { type FastifyInstance } from 'fastify'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { fastifyAuth } from '../../src/adapters/fastify.ts'
import { signedIn } from '../../src/testing/http-scenarios/visitor.ts'
import { createHttpWorld, type TestWorld } from '../support/http-world.ts'
import { fastifyServer } from './scenario-servers.ts'

describe('coatcheck/fastify', () => {
  let world: TestWorld
  beforeAll(async () => {
    world = await createHttpWorld(fastifyServer)
  })
  afterAll(() => world.close())

  const cookieOf = async (): Promise<string> => `__Host-coatcheck=${(await signedIn(world)).ticket ?? ''}`
  const using = async (app: FastifyInstance, run: () => Promise<void>): Promise<void> => {
    try {
      await run()
    } finally {
      await app.close()
    }
  }

  it('stays within the context that registers it: routes, property and session', async () => {
    const web = fastifyAuth(world.auth, { property: 'coat' })
    const app = fastify()
    void app.register(async (inner) => {
      void inner.register(web)
      inner.get('/inner', async (request) => ({ has: 'coat' in request, user: (await web.getSession(request)).user }))
    })
    app.get('/outer', async (request) => ({ has: 'coat' in request }))
    app.get('/asks', async (request) => web.getSession(request))
    await using(app, async () => {
      const cookie = await cookieOf()
      expect((await app.inject({ url: '/inner', headers: { cookie } })).json()).toMatchObject({
        has: true,
        user: { id: expect.stringMatching(/^user-/) as string },
      })
      expect((await app.inject('/outer')).json()).toEqual({ has: false })
      const asked = await app.inject({ url: '/asks', headers: { cookie } })
      expect([asked.statusCode, asked.json<{ message: string }>().message]).toEqual([
        500,
        expect.stringContaining('not registered'),
      ])
    })
  })

  it('reads bodies of its routes by itself, whatever parsers the application has', async () => {
    const app = fastify()
    void app.register(fastifyAuth(world.auth))
    app.addContentTypeParser('application/x-www-form-urlencoded', (_request, _payload, done) =>
      done(new Error('not for you')),
    )
    await using(app, async () => {
      const headers = { 'content-type': 'application/x-www-form-urlencoded', 'sec-fetch-site': 'same-origin' }
      const payload = 'returnTo=%2Fbye%3Fa%3D1'
      const answer = await app.inject({ method: 'POST', url: '/auth/logout', headers, payload })
      expect([answer.statusCode, answer.json()]).toEqual([200, { redirectTo: '/bye?a=1' }])
      const large = await app.inject({ method: 'POST', url: '/auth/logout', headers, payload: 'a'.repeat(1_000_000) })
      expect([large.statusCode, large.body]).toEqual([400, expect.stringContaining('COATCHECK_REQUEST_INVALID')])
    })
  })

  it('headers of the application stay: hooks see ours, cookies and Vary of others are kept', async () => {
    const web = fastifyAuth(world.auth)
    const app = fastify()
    void app.register(web)
    app.addHook('onRequest', async (_request, reply) => {
      void reply.header('set-cookie', 'other=1').header('vary', 'Accept-Encoding')
    })
    app.addHook('onSend', async (_request, reply) => {
      void reply.header('x-seen', String(reply.getHeader('cache-control')))
    })
    app.post('/in', async (request) => {
      await (await web.getVisit(request)).signIn({ userId: 'hooks' })
      return {}
    })
    await using(app, async () => {
      const { headers } = await app.inject({ method: 'POST', url: '/in' })
      expect(headers['x-seen']).toBe('private, no-store')
      expect(headers['vary']).toBe('Accept-Encoding, Cookie')
      expect(headers['set-cookie']).toEqual(['other=1', expect.stringMatching(/^__Host-coatcheck=/)])
    })
  })

  it('withUser hands over who is signed in; errors of others reach the handler above', async () => {
    const web = fastifyAuth(world.auth)
    const app = fastify()
    void app.register(web)
    app.setErrorHandler((error: Error, _request, reply) => reply.code(599).send({ above: error.message }))
    void app.register(async (inner) => {
      inner.setErrorHandler(web.errorHandler)
      inner.get(
        '/me',
        web.withUser((_request, _reply, { user }) => ({ id: user.id })),
      )
      inner.get(
        '/fails',
        web.withUser(() => Promise.reject(new Error('mine'))),
      )
    })
    await using(app, async () => {
      const cookie = await cookieOf()
      expect((await app.inject({ url: '/me', headers: { cookie } })).json()).toEqual({
        id: expect.stringMatching(/^user-/) as string,
      })
      expect((await app.inject('/me')).statusCode).toBe(401)
      const failed = await app.inject({ url: '/fails', headers: { cookie } })
      expect([failed.statusCode, failed.json()]).toEqual([599, { above: 'mine' }])
    })
  })

  it('the address of a device is the one that Fastify believes', async () => {
    for (const trustProxy of [false, true]) {
      const web = fastifyAuth(world.auth)
      const app = fastify({ trustProxy })
      void app.register(web)
      app.post('/in', async (request) => {
        await (await web.getVisit(request)).signIn({ userId: 'fastify-devices' })
        return {}
      })
      await using(app, async () => {
        await app.inject({ method: 'POST', url: '/in', headers: { 'x-forwarded-for': '198.51.100.20' } })
      })
    }
    const devices = await world.auth.sessions.listByUser('fastify-devices')
    expect(devices.map(({ device }) => device.ip).sort()).toEqual(['127.0.0.0/24', '198.51.100.0/24'])
  })

  it('refuses what is no instance, and options that it does not have', () => {
    expect(() => fastifyAuth({} as never)).toThrow(/coatcheck\(\)/)
    expect(() => fastifyAuth(world.auth, { propery: 'x' } as never)).toThrow(/"propery"/)
    expect(() => fastifyAuth(world.auth, { property: '' })).toThrow(/must be a name/)
  })
})
