// @ts-check
/**
 * The application: pages and JSON on Express. Reads as a tour of `coatcheck/express`: `web` brings the routes under /auth,
 * `web.getSession(request)` reads the session when somebody asks, `web.withUser(handler)` lets only users pass: visitors of a
 * page are sent to sign-in and come back, programs get 401.
 */
import { fileURLToPath } from 'node:url'
import express from 'express'
import { auth, metrics, providerOrigin, web } from './auth.js'
import { fetchOrders } from './orders.js'
import { devicesPage } from './pages/devices.js'
import { homePage } from './pages/home.js'
import { ordersPage } from './pages/orders.js'
import { problemPage } from './pages/problem.js'
import { profilePage } from './pages/profile.js'
import { tokensPage } from './pages/tokens.js'
import { handleProblem } from './problems.js'

const publicFolder = fileURLToPath(new URL('public', import.meta.url))

const contentSecurityPolicy = [
  "default-src 'none'",
  "style-src 'self'",
  "img-src 'self'",
  // Sign-out is a form that ends at the provider; browsers check the redirects behind a form, too.
  `form-action 'self' ${providerOrigin}`,
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ')

export function createApp() {
  const app = express()
  app.disable('x-powered-by')
  app.use((_request, response, next) => {
    response.set({
      'content-security-policy': contentSecurityPolicy,
      'referrer-policy': 'same-origin',
      'x-content-type-options': 'nosniff',
    })
    next()
  })

  // Before the session: none of these asks for one, so they work while the store is down.
  app.use(express.static(publicFolder, { index: false, maxAge: '1h' }))
  app.get('/healthz', (_request, response) => {
    response.json({ status: 'ok' })
  })
  // Tells nothing about anybody, yet is nobody's business: in production let only your Prometheus reach it.
  app.get('/metrics', async (_request, response) => {
    response.type(metrics.registry.contentType).send(await metrics.registry.metrics())
  })

  app.use(web)
  pages(app)
  api(app)

  app.use((_request, response) => {
    const problem = problemPage({
      title: 'There is nothing here',
      text: 'No page has this address. A link may be old, or a letter wrong.',
    })
    response.status(404).type('html').send(problem.text)
  })
  app.use(handleProblem)
  return app
}

/** @param {import('express').Express} app */
function pages(app) {
  app.get('/', async (request, response) => {
    const { user } = await web.getSession(request)
    show(response, homePage({ path: request.path, user }))
  })

  app.get(
    '/profile',
    web.withUser((request, response, { user, session }) => {
      show(response, profilePage({ path: request.path, user, session }))
    }),
  )

  app.get(
    '/orders',
    web.withUser(async (request, response, { user }) => {
      show(response, ordersPage({ path: request.path, user, orders: await fetchOrders(user.id) }))
    }),
  )

  app.get(
    '/tokens',
    web.withUser(async (request, response, { user }) => {
      show(response, tokensPage({ path: request.path, user, status: await auth.tokens.status(user.id) }))
    }),
  )

  app.get(
    '/devices',
    web.withUser(async (request, response, { user, session }) => {
      const sessions = await auth.sessions.listByUser(user.id)
      const done = String(request.query.done)
      show(response, devicesPage({ path: request.path, user, currentId: session.id, sessions, done }))
    }),
  )
}

/** @param {import('express').Express} app */
function api(app) {
  app.get('/api/me', async (request, response) => {
    const { user, id, createdAtMs, expiresAtMs } = await web.getSession(request)
    response.set('cache-control', 'private, no-store')
    if (user) response.json({ user, session: { id, createdAt: createdAtMs, expiresAt: expiresAtMs } })
    else response.status(401).json({ error: { code: 'COATCHECK_UNAUTHENTICATED', message: 'Nobody is signed in.' } })
  })

  app.get(
    '/api/orders',
    web.withUser(async (_request, response, { user }) => {
      response.set('cache-control', 'private, no-store').json({ orders: await fetchOrders(user.id) })
    }),
  )
}

/** @param {import('express').Response} response @param {import('./html.js').Html} page */
function show(response, page) {
  response.set('cache-control', 'private, no-store').type('html').send(page.text)
}
