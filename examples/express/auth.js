// @ts-check
/**
 * The one place where this application configures Coatcheck. Everything that differs between a laptop and production comes
 * from the environment: REDIS_URL, COATCHECK_KEYS, COATCHECK_BASE_URL, AZURE_AD_TENANT_ID, AZURE_AD_CLIENT_ID,
 * AZURE_AD_CLIENT_SECRET. Without REDIS_URL sessions live in the memory of this process, on localhost only.
 */
import { coatcheck, entra } from 'coatcheck'
import { expressAuth } from 'coatcheck/express'
import { prometheusMetrics } from 'coatcheck/prometheus'

/** The scope of the orders API whose access token is asked for at sign-in. */
export const ordersScope = process.env.ORDERS_SCOPE ?? 'api://orders/Orders.Read'

/** Set for the local provider of the demo; with Microsoft Entra ID it stays unset. */
const issuer = process.env.ENTRA_ISSUER

/** Where the browser goes for sign-in and sign-out: the Content-Security-Policy has to allow forms to end up there. */
export const providerOrigin = new URL(issuer ?? 'https://login.microsoftonline.com').origin

export const auth = coatcheck({
  providers: [entra({ issuer, apiScopes: [ordersScope] })],
  // The demo's access tokens live for a minute; the default margin of 30 seconds would waste half of it.
  tokens: { minValidity: '5s' },
  // The pages that Coatcheck shows by itself look like ours.
  pages: { name: 'Cloakroom', logo: '/favicon.svg', accentColor: '#b4472c', accentColorDark: '#d4623f' },
})

export const web = expressAuth(auth)

/** What `GET /metrics` shows. */
export const metrics = prometheusMetrics(auth, { liveSessions: auth.estimateSessions, liveSessionsEveryMs: 5000 })
