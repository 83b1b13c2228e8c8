import { createServer, type Server } from 'node:http'
import express5, { type ErrorRequestHandler, type Express, type Request, type Response } from 'express'
import express4 from 'express4'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type ExpressAuth, expressAuth } from '../../src/adapters/express.ts'
import type { Coatcheck } from '../../src/app/coatcheck.ts'
import { SessionError } from '../../src/core/errors.ts'
import { type ScenarioContext, type ScenarioData, scenarioRoutes } from '../../src/testing/http-scenario-app.ts'
import { adoptionScenarios, httpScenarios } from '../../src/testing/http-scenarios.ts'
import { signedIn, visitor } from '../../src/testing/http-scenarios/visitor.ts'
import { sendRaw } from '../../src/testing/raw-http.ts'
import { createHttpWorld, type TestWorld } from '../support/http-world.ts'

describe.each([
  ['4', express4],
  ['5', express5],
])('Express %s', (_version, express) => {
  let world: TestWorld
  let web: ExpressAuth<ScenarioData>

  beforeAll(async () => {
    world = await createHttpWorld((auth, adopt) => {
      web = expressAuth(auth, { property: 'coatcheck', adopt })
      return createServer(scenarioApp(express, web))
    })
  })
  afterAll(() => world.close())

  it.each(httpScenarios)('$name', async (scenario) => scenario.run(world))
  it.each(adoptionScenarios)('$name', async (scenario) => scenario.run(world))

  it('serves its routes behind body parsers that have read the body', async () => {
    const behind = await serving(world.auth, (app, auth) => {
      app.use(express.urlencoded({ extended: true }), express.json(), express.text())
      app.use(auth)
    })
    const form = { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8', 'sec-fetch-site': 'same-origin' }
    const json = { 'content-type': 'application/json', 'sec-fetch-site': 'same-origin' }
    const someone = await signedIn(world)
    const cookie = `__Host-coatcheck=${someone.ticket ?? ''}`
    const body = 'returnTo=%2Fbye%3Fa%3D1&other=1&other=2&nested%5Bkey%5D=3'
    const first = await sendRaw(behind.origin, '/auth/logout', { method: 'POST', headers: { ...form, cookie }, body })
    expect([first.status, JSON.parse(first.body)]).toEqual([200, { redirectTo: '/bye?a=1' }])
    expect((await someone.me()).user).toBeNull()
    const second = await sendRaw(behind.origin, '/auth/logout', { method: 'POST', headers: json, body: '{}' })
    expect([second.status, JSON.parse(second.body)]).toEqual([200, { redirectTo: '/' }])
    await behind.close()
  })

  it('a body parser in front of a body that it does not know leaves the body to the route', async () => {
    const behind = await serving(world.auth, (app, auth) => app.use(express.json(), auth))
    const headers = { 'content-type': 'application/x-www-form-urlencoded', 'sec-fetch-site': 'same-origin' }
    const body = 'returnTo=%2Fbye'
    const { body: answer } = await sendRaw(behind.origin, '/auth/logout', { method: 'POST', headers, body })
    expect(JSON.parse(answer)).toEqual({ redirectTo: '/bye' })
    await behind.close()
  })

  it('a body of more than 128 KiB is refused, and the client gets to read why', async () => {
    const headers = { 'content-type': 'application/x-www-form-urlencoded', 'sec-fetch-site': 'same-origin' }
    const body = `a=${'x'.repeat(1_000_000)}`
    const { status, body: answer } = await sendRaw(world.origin, '/auth/logout', { method: 'POST', headers, body })
    expect(status).toBe(400)
    expect(answer).toContain('COATCHECK_REQUEST_INVALID')
  })

  it('works for handlers in front of which nothing is mounted, and below a mount point', async () => {
    const someone = await signedIn(world)
    const bare = await serving(world.auth, (app, auth) => {
      app.get(
        '/me',
        auth.withUser((_request, response, { user }) => response.json(user.id)),
      )
      app.use('/below', auth, (request: Request, response: Response) => response.json(request.originalUrl))
      const sub = express()
      sub.get('/private', auth.requireUser(), (_request, response) => response.json('in'))
      app.use('/sub', sub)
    })
    const headers = { cookie: `__Host-coatcheck=${someone.ticket ?? ''}` }
    expect((await sendRaw(bare.origin, '/me', { headers })).body).toBe(JSON.stringify(someone.userId))
    expect((await sendRaw(bare.origin, '/below/x')).body).toBe('"/below/x"')
    expect((await sendRaw(bare.origin, '/sub/private', { headers })).body).toBe('"in"')
    const navigation = await sendRaw(bare.origin, '/sub/private?a=b', { headers: { accept: 'text/html' } })
    expect(navigation.headers.get('location')).toBe('/auth/login?returnTo=%2Fsub%2Fprivate%3Fa%3Db')
    await bare.close()
  })

  it('what a handler throws or rejects with reaches the error handling of the application', async () => {
    const failing = await serving(world.auth, (app, auth) => {
      const thrower = (): never => {
        throw new Error('thrown')
      }
      app.get('/throws', auth.withUser(thrower))
      app.get(
        '/rejects',
        auth.withUser(() => Promise.reject(new Error('rejected'))),
      )
      app.get(
        '/ended',
        auth.withUser(() => Promise.reject(new SessionError('COATCHECK_SESSION_ENDED'))),
      )
      app.get(
        '/mistake',
        auth.withUser(() => Promise.reject(new SessionError('COATCHECK_HEADERS_SENT'))),
      )
      app.use(auth.errorHandler)
      app.use((error: Error, _request: Request, response: Response, _next: unknown) => {
        response.status(599).json(error.message)
      })
    })
    const headers = { cookie: `__Host-coatcheck=${(await signedIn(world)).ticket ?? ''}` }
    const statusAt = async (path: string) => {
      const { status, body } = await sendRaw(failing.origin, path, { headers })
      return `${status} ${body}`
    }
    expect(await statusAt('/throws')).toBe('599 "thrown"')
    expect(await statusAt('/rejects')).toBe('599 "rejected"')
    expect(await statusAt('/ended')).toMatch(/^401 .*COATCHECK_SESSION_ENDED/)
    expect(await statusAt('/mistake')).toMatch(/^599 /)
    await failing.close()
  })

  it('an error that has an answer and gets 500 is reported, and one that the application answers is not', async () => {
    const reported: string[] = []
    const stop = world.auth.events.on('request.unhandled', ({ code }) => reported.push(code))
    const failing = (mount: (app: Express, auth: ExpressAuth<ScenarioData>) => unknown) =>
      serving(world.auth, (app, auth) => {
        app.set('env', 'test')
        app.use(auth)
        app.get(
          '/',
          auth.withUser(() => Promise.reject(new SessionError('COATCHECK_SESSION_ENDED'))),
        )
        mount(app, auth)
      })
    const headers = { cookie: `__Host-coatcheck=${(await signedIn(world)).ticket ?? ''}` }
    const statusBehind = async (mount: Parameters<typeof failing>[0]): Promise<number> => {
      const { origin, close } = await failing(mount)
      const { status } = await sendRaw(origin, '/', { headers })
      await close()
      return status
    }
    expect([await statusBehind((app, auth) => app.use(auth.errorHandler)), reported]).toEqual([401, []])
    const own: ErrorRequestHandler = (_error, _request, response, _next) => void response.status(403).end()
    expect([await statusBehind((app) => app.use(own)), reported]).toEqual([403, []])
    expect([await statusBehind(() => undefined), reported]).toEqual([500, ['COATCHECK_SESSION_ENDED']])
    stop()
  })

  it('mounted twice, by one adapter or two: a new visitor gets one session with all that was stored', async () => {
    const twice = await serving(world.auth, (app, auth) => {
      const other = expressAuth(world.auth, { property: 'coat' })
      app.use(auth, auth, other, other)
      app.post('/', async (request, response) => {
        await Promise.all([
          (await auth.getSession(request)).set('first', 1),
          (await other.getSession(request)).set('second', 2),
        ])
        response.json({})
      })
    })
    const { setCookies } = await sendRaw(twice.origin, '/', { method: 'POST' })
    const ticket = /^__Host-coatcheck=([^;]+)/.exec(setCookies.join('\n'))?.[1] ?? ''
    expect([setCookies.length, (await visitor(world, ticket).me()).data]).toEqual([1, { first: 1, second: 2 }])
    await twice.close()
  })

  it('an error after the headers ends the connection and not the process', async () => {
    const failing = await serving(world.auth, (app, auth) => {
      app.get('/', (_request, response, next) => {
        response.write('begin')
        next(new SessionError('COATCHECK_SESSION_ENDED'))
      })
      app.use(auth.errorHandler)
    })
    await expect(sendRaw(failing.origin, '/')).rejects.toThrow(/aborted|hang up|ECONNRESET/)
    await failing.close()
  })

  it('the address of a device is the one that Express believes', async () => {
    const behind = await serving(world.auth, (app, auth) => {
      app.set('trust proxy', 1)
      app.post('/', async (request, response) => {
        const visit = await auth.getVisit(request)
        await visit.signIn({ userId: 'devices' })
        response.json({})
      })
    })
    await sendRaw(behind.origin, '/', { method: 'POST', headers: { 'x-forwarded-for': '198.51.100.20' } })
    await visitor(world).send('/sign-in?user=devices', {
      method: 'POST',
      headers: { 'x-forwarded-for': '198.51.100.20' },
    })
    const devices = await world.auth.sessions.listByUser('devices')
    expect(devices.map(({ device }) => device.ip).sort()).toEqual(['127.0.0.0/24', '198.51.100.0/24'])
    await world.auth.sessions.revokeByUser('devices')
    await behind.close()
  })

  async function serving(
    auth: Coatcheck<ScenarioData>,
    mount: (app: Express, web: ExpressAuth<ScenarioData>) => unknown,
  ) {
    const app = express()
    mount(app, expressAuth(auth))
    const server = createServer(app)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return { origin: originOf(server), close: () => new Promise((resolve) => server.close(resolve)) }
  }
})

it('refuses what is no instance, and options that it does not have', async () => {
  expect(() => expressAuth({} as never)).toThrow(/coatcheck\(\)/)
  expect(() => expressAuth({ handler: () => null } as never, { propery: 'x' } as never)).toThrow(/"property"/)
  expect(() => expressAuth({ handler: () => null } as never, { property: '' })).toThrow(/"property"/)
})

function scenarioApp(express: typeof express5, web: ExpressAuth<ScenarioData>): Express {
  const app = express()
  app.use(web)
  for (const { method, path, guarded, maxAge, run } of scenarioRoutes) {
    const handlers = guarded ? [web.requireUser(maxAge === undefined ? {} : { maxAge })] : []
    app[method === 'GET' ? 'get' : 'post'](path, ...handlers, (request, response, next) => {
      run(contextOf(request, response)).catch(next)
    })
  }
  app.use(web.errorHandler)
  return app

  function contextOf(request: Request, response: Response): ScenarioContext {
    return {
      query: new URL(request.originalUrl, 'http://localhost').searchParams,
      session: (options) => web.getSession(request, options),
      visit: () => (request as unknown as { coatcheck: { getVisit: ScenarioContext['visit'] } }).coatcheck.getVisit(),
      json: async (body, headers = {}) => void response.set(headers).json(body),
      redirect: async (to) => response.redirect(303, to),
      async stream(rest) {
        response.write('begin ')
        const text = await rest()
        if (!response.destroyed) response.end(text)
      },
    }
  }
}

function originOf(server: Server): string {
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the server does not listen')
  return `http://127.0.0.1:${address.port}`
}
