/** Parts that are put together in the wrong way. */
import { Hono } from 'hono'
import { expressAuth } from '../../../src/adapters/express.ts'
import { honoAuth } from '../../../src/adapters/hono.ts'
import { coatcheck } from '../../../src/app/coatcheck.ts'
import { serve } from '../application.ts'
import type { Mistake, Seen } from '../mistake.ts'
import type { World } from '../world.ts'

export const frameworkMistakes: readonly Mistake[] = [
  {
    title: 'The adapter gets options instead of an instance',
    sample: 'expressAuth({ providers: [entra()] })',
    make: () => expressAuth({ providers: [] } as never),
    code: 'COATCHECK_INVALID_ARGUMENT',
    what: /expressAuth\(\) must get the instance that coatcheck\(\) returned/,
    why: /argument it cannot take/,
    fix: /^Pass the instance: const auth = coatcheck\(\{ … \}\), then expressAuth\(auth\)/,
  },
  {
    title: 'getSession() is called without the request',
    sample: 'const session = await web.getSession()',
    make: (world) => expressAuth(world.auth).getSession(undefined as never),
    code: 'COATCHECK_INVALID_ARGUMENT',
    what: /getSession\(\) of expressAuth\(\) must get the request of its handler; it got undefined/,
    why: /argument it cannot take/,
    fix: /^Pass the request that the handler got: await getSession\(request\)/,
  },
  {
    title: 'getSession() gets something else than the request of Express',
    sample: 'const session = await web.getSession({ headers: request.headers })',
    make: (world) => expressAuth(world.auth).getSession({ headers: {} } as never),
    code: 'COATCHECK_INVALID_ARGUMENT',
    what: /getSession\(\) of expressAuth\(\) must get the request of its handler; it got an object/,
    why: /argument it cannot take/,
    fix: /^Pass the request that the handler got: await getSession\(request\)/,
  },
  {
    title: 'A route of Hono stands before the middleware',
    sample: "app.get('/', async (context) => context.json(await web.getSession(context))); app.use(web)",
    make: routeBeforeMiddleware,
    code: 'COATCHECK_INVALID_ARGUMENT',
    what: /getSession\(\) needs the middleware before the route: app\.use\(web\)/,
    why: /argument it cannot take/,
    fix: /^Write app\.use\(web\) before the routes/,
  },
  {
    title: 'A link signs the user out',
    sample: '<a href="/auth/logout">Sign out</a>',
    make: logoutLink,
    code: 'HTTP 200',
    what: /^Sign out\?/,
    why: /ends your session in this browser/,
    fix: /^Press "Sign out"/,
  },
  {
    title: 'The instance is used after close()',
    sample: 'await auth.close(); await auth.sessions.find(ticket)',
    async make(world) {
      const auth = coatcheck(world.options())
      await auth.close()
      await auth.sessions.find(world.ticket)
    },
    code: 'COATCHECK_CLOSED',
    what: /close\(\) was called, and something was used afterwards/,
    why: /close\(\) was called/,
    fix: /^Stop taking requests first, then call close\(\)/,
  },
]

async function routeBeforeMiddleware(world: World): Promise<unknown> {
  const web = honoAuth(world.auth)
  const app = new Hono()
  let thrown: unknown
  app.get('/', async (context) => context.json((await web.getSession(context)).id))
  app.use(web)
  app.onError((error, context) => {
    thrown = error
    return context.text('', 500)
  })
  await app.request('/')
  throw thrown
}

/** A GET changes nothing: it answers with a page that has the button. */
async function logoutLink(world: World): Promise<Seen> {
  const { origin } = await serve(world, (app, web) => app.use(web))
  const headers = { accept: 'text/html', cookie: `coatcheck=${world.ticket}` }
  const response = await fetch(`${origin}/auth/logout`, { headers })
  const page = await response.text()
  return {
    code: `HTTP ${response.status}`,
    what: /<h1>([^<]*)/.exec(page)?.[1] ?? '',
    why: /<p class="text">([^<]*)<\/p>/.exec(page)?.[1] ?? '',
    fix: `Press "${/<button[^>]*>([^<]*)/.exec(page)?.[1] ?? ''}", or send a form: <form method="post" action="/auth/logout">.`,
  }
}
