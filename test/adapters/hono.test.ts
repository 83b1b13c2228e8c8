import { Hono } from 'hono'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { honoAuth } from '../../src/adapters/hono.ts'
import { signedIn, visitor } from '../../src/testing/http-scenarios/visitor.ts'
import { createHttpWorld, type TestWorld } from '../support/http-world.ts'
import { honoServer } from './scenario-servers.ts'

describe('coatcheck/hono', () => {
  let world: TestWorld
  beforeAll(async () => {
    world = await createHttpWorld(honoServer)
  })
  afterAll(() => world.close())

  it('reads a form, keeps cookies and Vary of the application', async () => {
    const web = honoAuth(world.auth)
    const app = new Hono()
    app.use(async (context, next) => {
      context.header('set-cookie', 'other=1')
      context.header('vary', 'Accept-Encoding')
      await next()
    })
    app.use(web)
    app.post('/in', async (context) => {
      await (await web.getVisit(context)).signIn({ userId: 'hono' })
      return context.json({})
    })
    const { headers } = await app.request('/in', { method: 'POST' })
    expect(headers.get('cache-control')).toBe('private, no-store')
    expect(headers.get('vary')).toBe('Accept-Encoding, Cookie')
    expect(headers.getSetCookie()).toEqual(['other=1', expect.stringMatching(/^__Host-coatcheck=/)])

    const form = { 'content-type': 'application/x-www-form-urlencoded', 'sec-fetch-site': 'same-origin' }
    const logout = await app.request('/auth/logout', { method: 'POST', headers: form, body: 'returnTo=%2Fbye' })
    expect([logout.status, await logout.json()]).toEqual([200, { redirectTo: '/bye' }])
  })

  it('withUser hands over who is signed in; errors of others are thrown on', async () => {
    const web = honoAuth(world.auth)
    const app = new Hono()
    app.use(web)
    app.onError((error, context) => {
      try {
        return web.errorHandler(error, context)
      } catch {
        return context.json({ mine: error.message }, 599 as never)
      }
    })
    app.get(
      '/me',
      web.withUser((context, { user }) => context.json({ id: user.id })),
    )
    app.get(
      '/fails',
      web.withUser(() => Promise.reject(new Error('mine'))),
    )
    const cookie = `__Host-coatcheck=${(await signedIn(world)).ticket ?? ''}`
    expect(await (await app.request('/me', { headers: { cookie } })).json()).toEqual({
      id: expect.stringMatching(/^user-/) as string,
    })
    expect((await app.request('/me')).status).toBe(401)
    const failed = await app.request('/fails', { headers: { cookie } })
    expect([failed.status, await failed.json()]).toEqual([599, { mine: 'mine' }])
  })

  it('the address of a device comes from the socket, or from where the application says', async () => {
    const signIn = async (clientIp?: () => string): Promise<void> => {
      const web = honoAuth(world.auth, clientIp ? { clientIp } : {})
      const app = new Hono()
      app.use(web)
      app.post('/in', async (context) => {
        await (await web.getVisit(context)).signIn({ userId: 'hono-devices' })
        return context.json({})
      })
      const headers = { 'x-forwarded-for': '192.0.2.9' }
      await app.request('/in', { method: 'POST', headers }, { incoming: { socket: { remoteAddress: '203.0.113.9' } } })
    }
    await signIn()
    await signIn(() => '198.51.100.20')
    const devices = await world.auth.sessions.listByUser('hono-devices')
    expect(devices.map(({ device }) => device.ip).sort()).toEqual(['198.51.100.0/24', '203.0.113.0/24'])
  })

  it('mounted twice, by one adapter or two: a new visitor gets one session with all that was stored', async () => {
    const web = honoAuth(world.auth, { property: 'coat' })
    const other = honoAuth(world.auth, { property: 'coat' })
    const app = new Hono()
    app.use(web)
    app.use(async (context, next) => {
      await (await web.getSession(context)).set('first', 1)
      await next()
    })
    app.use(web)
    app.use(other)
    app.use(other)
    app.post('/', async (context) => {
      await (await other.getSession(context)).set('second', 2)
      return context.json({})
    })
    const cookies = (await app.request('/', { method: 'POST' })).headers.getSetCookie()
    const ticket = /^__Host-coatcheck=([^;]+)/.exec(cookies.join('\n'))?.[1] ?? ''
    expect([cookies.length, (await visitor(world, ticket).me()).data]).toEqual([1, { first: 1, second: 2 }])
  })

  it('says that the middleware is missing; refuses what is no instance, and unknown options', async () => {
    const web = honoAuth(world.auth)
    const app = new Hono()
    app.get('/', async (context) => context.json(await web.getSession(context)))
    app.onError((error, context) => context.text(error.message, 500))
    expect(await (await app.request('/')).text()).toContain('app.use(web)')
    expect(() => honoAuth({} as never)).toThrow(/coatcheck\(\)/)
    expect(() => honoAuth(world.auth, { clientIp: 'x' } as never)).toThrow(/must be a function/)
  })
})
