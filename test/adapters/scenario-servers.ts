/** The scenario application on each of our adapters, as a server that is not listening yet. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { PassThrough } from 'node:stream'
import { getRequestListener } from '@hono/node-server'
import fastify, { type FastifyReply, type FastifyRequest } from 'fastify'
import { type Handler, Hono } from 'hono'
import { stream } from 'hono/streaming'
import { type FastifyAuth, fastifyAuth } from '../../src/adapters/fastify.ts'
import { type HonoAuth, honoAuth } from '../../src/adapters/hono.ts'
import { nodeAuth } from '../../src/adapters/node.ts'
import type { Coatcheck } from '../../src/app/coatcheck.ts'
import type { CookieBridge } from '../../src/migrate/cookie-bridge.ts'
import {
  type ScenarioContext,
  type ScenarioData,
  type ScenarioRoute,
  scenarioRoutes,
} from '../../src/testing/http-scenario-app.ts'

type Auth = Coatcheck<ScenarioData>

/** For `requireUser()`. */
function limitOf({ maxAge }: ScenarioRoute): { maxAge?: string } {
  return maxAge === undefined ? {} : { maxAge }
}

export function nodeServer(auth: Auth, adopt?: CookieBridge): Server {
  const web = nodeAuth(auth, { ...(adopt && { adopt }) })
  return createServer((request, response) => {
    const work = async (): Promise<void> => {
      if (await web.handle(request, response)) return
      const url = new URL(request.url ?? '/', 'http://localhost')
      const method = request.method === 'HEAD' ? 'GET' : request.method
      const route = scenarioRoutes.find((one) => one.method === method && one.path === url.pathname)
      if (!route) return void response.writeHead(404).end()
      if (route.guarded && !(await web.requireUser(request, response, limitOf(route)))) return
      await route.run(contextOf(request, response, url))
    }
    work().catch((error: unknown) => {
      if (!web.handleError(error, request, response)) response.destroy()
    })
  })

  function contextOf(request: IncomingMessage, response: ServerResponse, url: URL): ScenarioContext {
    return {
      query: url.searchParams,
      session: (options) => web.getSession(request, response, options),
      visit: () => web.getVisit(request, response),
      json: async (body, headers) =>
        void response.writeHead(200, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body)),
      redirect: async (location) => void response.writeHead(303, { location }).end(),
      async stream(rest) {
        response.write('begin ')
        const text = await rest()
        if (!response.destroyed) response.end(text)
      },
    }
  }
}

export async function fastifyServer(auth: Auth, adopt?: CookieBridge): Promise<Server> {
  const web = fastifyAuth(auth, { property: 'coatcheck', ...(adopt && { adopt }) })
  let server: Server | null = null
  const app = fastify({
    serverFactory: (handler) => (server = createServer(handler)),
    // As behind a proxy: what the scenarios send in `X-Forwarded-*` must still lead nowhere.
    trustProxy: false,
  })
  void app.register(web)
  app.setErrorHandler(web.errorHandler)
  void app.register(async (scope) => {
    for (const route of scenarioRoutes) {
      const { method, path, guarded } = route
      scope.route({
        method,
        url: path,
        ...(guarded && { preHandler: web.requireUser(limitOf(route)) }),
        handler: (request, reply) => runOnFastify(route, web, request, reply),
      })
    }
  })
  await app.ready()
  if (!server) throw new Error('Fastify made no server')
  return server
}

async function runOnFastify(
  route: ScenarioRoute,
  web: FastifyAuth<ScenarioData>,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  await route.run({
    query: new URL(request.originalUrl, 'http://localhost').searchParams,
    session: (options) => web.getSession(request, options),
    visit: () => (request as unknown as { coatcheck: { getVisit: ScenarioContext['visit'] } }).coatcheck.getVisit(),
    json: async (body, headers = {}) => void reply.headers(headers).send(body),
    redirect: async (path) => void reply.redirect(path, 303),
    async stream(rest) {
      const body = new PassThrough()
      void reply.send(body)
      body.write('begin ')
      // The headers leave with the first bytes.
      await new Promise((resolve) => setImmediate(resolve))
      body.end(await rest())
    },
  })
  return reply
}

export function honoServer(auth: Auth, adopt?: CookieBridge): Server {
  const web = honoAuth(auth, { property: 'coatcheck', ...(adopt && { adopt }) })
  const app = new Hono<{ Variables: { coatcheck: { getVisit: ScenarioContext['visit'] } } }>()
  app.use(web)
  app.onError(web.errorHandler)
  for (const route of scenarioRoutes) {
    const handlers = route.guarded ? [web.requireUser(limitOf(route))] : []
    const handler: Handler = (context) => runOnHono(route, web, context)
    app.on(route.method, [route.path], ...handlers, handler)
  }
  const listener = getRequestListener(app.fetch)
  return createServer((request, response) => void listener(request, response))
}

async function runOnHono(
  route: ScenarioRoute,
  web: HonoAuth<ScenarioData>,
  context: Parameters<HonoAuth<ScenarioData>['getVisit']>[0],
): Promise<Response> {
  let answer: (response: Response) => void = () => undefined
  let fail: (error: unknown) => void = () => undefined
  const answered = new Promise<Response>((resolve, reject) => ([answer, fail] = [resolve, reject]))
  const run = route.run({
    query: new URL(context.req.url).searchParams,
    session: (options) => web.getSession(context, options),
    visit: () => (context.get('coatcheck') as { getVisit: ScenarioContext['visit'] }).getVisit(),
    json: async (body, headers = {}) => answer(context.json(body as object, 200, headers)),
    redirect: async (path) => answer(context.redirect(path, 303)),
    stream: (rest) =>
      new Promise((resolve, reject) => {
        answer(
          stream(
            context,
            async (out) => {
              await out.write('begin ')
              await new Promise((next) => setImmediate(next))
              await out.write(await rest())
              resolve()
            },
            async (error) => {
              reject(error)
            },
          ),
        )
      }),
  })
  run.catch(fail)
  return answered
}
