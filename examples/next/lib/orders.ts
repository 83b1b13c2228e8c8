/**
 * Asks the protected orders API with the user's own access token. Coatcheck hands out a valid one: stored, or refreshed when it
 * has run out, which works in a server component as well, since no cookie changes with it. The token stays on the server.
 */
import { auth, ordersScope } from './auth'

export interface Order {
  id: string
  item: string
  quantity: number
  totalCents: number
  state: string
}

export async function fetchOrders(userId: string): Promise<readonly Order[]> {
  const { accessToken } = await auth.tokens.getAccessToken(userId, { scopes: [ordersScope] })
  const api = process.env.ORDERS_API_URL || 'http://127.0.0.1:4001'
  const response = await fetch(`${api}/orders`, {
    headers: { authorization: `Bearer ${accessToken}` },
    cache: 'no-store',
    signal: AbortSignal.timeout(5000),
  })
  if (!response.ok) throw new Error(`The orders API answered with ${response.status}.`)
  const { orders } = (await response.json()) as { orders: readonly Order[] }
  return orders
}
