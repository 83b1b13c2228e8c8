/**
 * The one place where this application configures Coatcheck. Everything that differs between a laptop and production comes from
 * the environment, see .env.example. Evaluated in `next build` too, without any of it: nothing is read before a request comes.
 */
import { coatcheck, entra } from 'coatcheck'

/** What a session remembers, besides who is signed in. */
export interface AppData {
  nickname?: string
}

/** The scope of the orders API whose access token is asked for at sign-in. */
export const ordersScope = process.env.ORDERS_SCOPE || 'api://orders/Orders.Read'

export const auth = coatcheck<AppData & Record<string, unknown>>({
  // Set for the local provider of the demo; with Microsoft Entra ID it stays unset.
  providers: [entra({ issuer: process.env.ENTRA_ISSUER, apiScopes: [ordersScope] })],
  // The demo's access tokens live for a minute; the default margin of 30 seconds would waste half of it.
  tokens: { minValidity: '5s' },
  // The pages that Coatcheck shows by itself look like ours.
  pages: { name: 'Cloakroom', logo: '/favicon.svg', accentColor: '#b4472c', accentColorDark: '#d4623f' },
})
