import { getSession, getVisit, routeHandler, withUser } from 'coatcheck/next'
import { scenarioRoutes } from 'coatcheck/testing'
import { auth } from '../../auth.js'

const handler = (request, context) => {
  const url = new URL(request.url)
  const method = request.method === 'HEAD' ? 'GET' : request.method
  const route = scenarioRoutes.find((one) => one.method === method && one.path === url.pathname)
  if (!route) return new Response(null, { status: 404 })
  const run = () => answer(route, url)
  const limit = route.maxAge === undefined ? {} : { maxAge: route.maxAge }
  return (route.guarded ? withUser(auth, run, limit) : routeHandler(auth, run))(request, context)
}

export const GET = handler
export const POST = handler

function answer(route, url) {
  return new Promise((resolve, reject) => {
    const context = {
      query: url.searchParams,
      session: (options) => getSession(auth, options),
      visit: () => getVisit(auth),
      json: async (body, headers = {}) => resolve(Response.json(body, { headers })),
      redirect: async (path) => resolve(new Response(null, { status: 303, headers: { location: path } })),
      stream: async (rest) => {
        const encoder = new TextEncoder()
        const body = new ReadableStream({
          async start(controller) {
            controller.enqueue(encoder.encode('begin '))
            await new Promise((next) => setImmediate(next))
            controller.enqueue(encoder.encode(await rest()))
            controller.close()
          },
        })
        resolve(new Response(body))
      },
    }
    route.run(context).catch(reject)
  })
}
