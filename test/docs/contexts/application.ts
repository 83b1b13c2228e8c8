/** The scope of blocks with `with: application`: an Express application with sign-in, and one request of a signed-in user. */
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import express, { type Request, type Response } from 'express'
import { coatcheck, entra, type OAuthAccount } from 'coatcheck'
import { startDevProvider } from 'coatcheck/dev'
import { expressAuth } from 'coatcheck/express'
import { prometheusMetrics } from 'coatcheck/prometheus'
import { z } from 'zod'

const { issuer, tenantId, clientId, clientSecret } = await startDevProvider()

export const schema = z.object({
  cart: z.array(z.string()).optional(),
  visits: z.number().optional(),
  appearance: z.object({ theme: z.string() }).optional(),
})
export const auth = coatcheck({
  providers: [entra({ issuer, tenantId, clientId, clientSecret })],
  session: { schema },
})
export const web = expressAuth(auth)
export const app = express()
export const metrics = prometheusMetrics(auth)
app.use(web)

export const userId = 'ada'
export const cart = ['umbrella']
export const user = { id: userId }
export const account: OAuthAccount = { access_token: 'from Auth.js', refresh_token: 'r', expires_in: 3600 }

await auth.tokens.setUserTokens(userId, {
  accessToken: 'stored',
  refreshToken: 'r',
  expiresAt: Date.now() + 3_600_000,
  scopes: ['api://orders/Orders.Read'],
})

const { ticket } = await auth.sessions.create({ userId, data: { cart } })
export const { request, response } = await oneRequest()
export const session = await web.getSession(request)

/** The answer is never finished: the page does with it what it shows. */
async function oneRequest(): Promise<{ request: Request; response: Response }> {
  const server = app.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const asked = new Promise<{ request: Request; response: Response }>((resolve) => {
    app.get('/page', (request, response) => resolve({ request, response }))
  })
  fetch(`http://127.0.0.1:${port}/page`, { headers: { cookie: `coatcheck=${ticket}` } }).catch(() => undefined)
  return asked
}

export function tellTheUser(): void {
  response.status(413)
}
