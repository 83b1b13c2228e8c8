// @ts-check
/**
 * Asks the protected orders API with the user's own access token. Coatcheck hands out a valid one: stored, or refreshed when
 * it has run out. The token stays on the server.
 */
import { auth, ordersScope } from './auth.js'

const api = process.env.ORDERS_API_URL ?? 'http://127.0.0.1:4001'

/**
 * @typedef {{ id: string, item: string, quantity: number, totalCents: number, state: string }} Order
 */

/** The API answered, but not with orders. */
export class OrdersError extends Error {
  /** @param {number} status */
  constructor(status) {
    super(`The orders API answered with ${status}.`)
    this.status = status
  }
}

/**
 * @param {string} userId
 * @returns {Promise<readonly Order[]>}
 */
export async function fetchOrders(userId) {
  const { accessToken } = await auth.tokens.getAccessToken(userId, { scopes: [ordersScope] })
  const response = await fetch(`${api}/orders`, {
    headers: { authorization: `Bearer ${accessToken}` },
    signal: AbortSignal.timeout(5000),
  })
  if (!response.ok) throw new OrdersError(response.status)
  const body = /** @type {{ orders: readonly Order[] }} */ (await response.json())
  return body.orders
}
