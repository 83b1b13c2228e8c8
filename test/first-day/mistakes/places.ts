/** Parts of a framework that are in the wrong place: the error handler, the session of a request, a write within a page. */
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { compileFunction } from 'node:vm'
import type { Express } from 'express'
import fastify from 'fastify'
import { type Context, Hono } from 'hono'
import { fastifyAuth } from '../../../src/adapters/fastify.ts'
import { honoAuth } from '../../../src/adapters/hono.ts'
import { coatcheck } from '../../../src/app/coatcheck.ts'
import { redisStore } from '../../../src/stores/redis/redis-store.ts'
import { logLines } from '../../../src/telemetry/log-lines.ts'
import { buildNextApp, nextServer } from '../../adapters/next-server.ts'
import { serve, type Web } from '../application.ts'
import type { Mistake, Seen } from '../mistake.ts'
import type { World } from '../world.ts'

/** What both places of the error handler lead to. */
const WITHOUT_HANDLER = {
  code: 'COATCHECK_REDIS_UNREACHABLE',
  what: /^Error in the log: error without handler got 500\./,
  why: /Express asks only error handlers behind the route/,
  fix: /^Write app\.use\(web\.errorHandler\) last/,
} as const

export const placeMistakes: readonly Mistake[] = [
  {
    title: 'The session of a request is replaced, in Express',
    sample: "request.session = { theme: 'dark' } // expressAuth(auth, { property: 'session' })",
    make: (world) => assignedInExpress(world, "request.session = { theme: 'dark' }"),
    code: 'COATCHECK_SESSION_READ_ONLY',
    what: /^Cannot assign to request\.session: Coatcheck put it there/,
    why: /an assignment to it would never be stored/,
    fix: /await request\.session\.getSession\(\); await session\.set\('theme', 'dark'\)/,
  },
  {
    title: 'A value is assigned to what holds the session',
    sample: "request.session.theme = 'dark' // expressAuth(auth, { property: 'session' })",
    make: (world) => assignedInExpress(world, "request.session.theme = 'dark'"),
    code: 'COATCHECK_SESSION_READ_ONLY',
    what: /^Cannot assign to "theme" of request\.session: .*use session\.set\(\)/,
    why: /an assignment to it would never be stored/,
    fix: /await request\.session\.getSession\(\); await session\.set\('theme', 'dark'\)/,
  },
  {
    title: 'The session of a request is replaced, in Fastify',
    sample: "request.auth = { theme: 'dark' } // fastifyAuth(auth, { property: 'auth' })",
    make: assignedInFastify,
    code: 'COATCHECK_SESSION_READ_ONLY',
    what: /^Cannot assign to request\.auth: Coatcheck put it there/,
    why: /an assignment to it would never be stored/,
    fix: /await request\.auth\.getSession\(\)/,
  },
  {
    title: 'The session of a context is replaced, in Hono',
    sample: "context.set('session', { theme: 'dark' }) // honoAuth(auth, { property: 'session' })",
    make: assignedInHono,
    code: 'COATCHECK_SESSION_READ_ONLY',
    what: /^Cannot assign to context\.get\('session'\): Coatcheck put it there/,
    why: /an assignment to it would never be stored/,
    fix: /await context\.get\('session'\)\.getSession\(\)/,
  },
  {
    title: 'The error handler is not mounted, and Redis is down',
    sample: "app.use(web); app.get('/', …) // no app.use(web.errorHandler)",
    make: (world) => duringOutage(world, (app, web) => app.use(web)),
    ...WITHOUT_HANDLER,
  },
  {
    title: 'The error handler is mounted first, and Redis is down',
    sample: "app.use(web.errorHandler); app.use(web); app.get('/', …)",
    make: (world) => duringOutage(world, (app, web) => app.use(web.errorHandler).use(web)),
    ...WITHOUT_HANDLER,
  },
  {
    title: 'The first value of a visitor is stored while a page of Next is rendered',
    sample: "export default async function Page() { await (await getSession(auth)).set('theme', 'dark') }",
    make: writtenInPage,
    code: 'COATCHECK_COOKIES_READ_ONLY',
    what: /cookies cannot be written here/,
    why: /A new ticket has to be sent as a cookie/,
    fix: /^Store the first value of a visitor, sign in or rotate in a route handler or a server action/,
  },
]

/** A request of the witness while nothing listens at the address of Redis. The session is there afterwards. */
async function duringOutage(world: World, mount: (app: Express, web: Web) => void): Promise<Seen> {
  world.setVariables({ COATCHECK_LOG: 'silent' })
  const auth = coatcheck(world.options({ store: redisStore({ url: `redis://127.0.0.1:${world.emptyPort}` }) }))
  world.later(() => auth.close())
  const told = new Promise<{ code: string }>((tell) => world.later(auth.events.on('request.unhandled', tell)))
  const mounted = (app: Express, web: Web): void => {
    mount(app, web)
    app.get('/', async (request, response) => response.json((await web.getSession(request)).id))
  }
  const { origin } = await serve(world, mounted, { auth })
  const { status, headers } = await fetch(origin, { headers: { cookie: `coatcheck=${world.ticket}` } })
  if (status !== 500 || headers.has('set-cookie')) throw new Error(`Express answered ${status}.`)
  const { code } = await told
  const [what = '', fix = ''] = logLines['request.unhandled'].text.split(': ')
  const why = 'Express asks only error handlers behind the route. With one of ours, the answer is 503 with Retry-After.'
  return { code, what: `Error in the log: ${what}.`, why, fix: `${fix.replace('write', 'Write')}.` }
}

/** The page of the scenario application, rendered for a visitor without a session; it shows what `set()` rejects with. */
async function writtenInPage(world: World): Promise<Seen> {
  await buildNextApp('next16')
  const server = nextServer('next16', world.auth)
  world.later(() => new Promise((closed) => server.close(closed)))
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.address() as AddressInfo
  const response = await fetch(`http://127.0.0.1:${port}/rendered?do=write`, { headers: { connection: 'close' } })
  if (response.headers.has('set-cookie')) throw new Error('The page has set a cookie.')
  const [, told = 'null'] = /<pre id="told">([^<]*)/.exec(await response.text()) ?? []
  return JSON.parse(told.replaceAll('&quot;', '"').replaceAll('&#x27;', "'").replaceAll('&amp;', '&')) as Seen
}

/** As in a CommonJS file without 'use strict', where assigning to a frozen property is silent. */
const sloppy = (code: string): ((request: unknown) => void) =>
  compileFunction(code, ['request']) as (request: unknown) => void

async function assignedInExpress(world: World, code: string): Promise<unknown> {
  let thrown: unknown
  const { origin } = await serve(
    world,
    (app, web) => {
      app.use(web)
      app.get('/', (request, response) => {
        try {
          sloppy(code)(request)
        } catch (error) {
          thrown = error
        }
        response.end()
      })
    },
    { property: 'session' },
  )
  await fetch(origin)
  throw thrown
}

async function assignedInFastify(world: World): Promise<unknown> {
  let thrown: unknown
  const app = fastify()
  world.later(() => app.close())
  await app.register(fastifyAuth(world.auth, { property: 'auth' }))
  app.get('/', async (request) => {
    try {
      sloppy("request.auth = { theme: 'dark' }")(request)
    } catch (error) {
      thrown = error
    }
    return {}
  })
  await app.inject('/')
  throw thrown
}

async function assignedInHono(world: World): Promise<unknown> {
  let thrown: unknown
  const app = new Hono()
  app.use(honoAuth(world.auth, { property: 'session' }))
  app.onError((error, context) => {
    thrown = error
    return context.text('', 500)
  })
  app.get('/', (context: Context) => {
    context.set('session', { theme: 'dark' })
    return context.text('')
  })
  await app.request('/')
  throw thrown
}
