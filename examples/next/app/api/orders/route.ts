import { withUser } from 'coatcheck/next'
import { auth } from '../../../lib/auth'
import { fetchOrders } from '../../../lib/orders'

export const GET = withUser(auth, async (_request, { user }) => Response.json({ orders: await fetchOrders(user.id) }))
