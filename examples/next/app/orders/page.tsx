/** The user's orders. The access token is refreshed right here, in a server component, when it has run out. */
import { requireUser } from 'coatcheck/next'
import { Page } from '../../components/page'
import { auth } from '../../lib/auth'
import { fetchOrders } from '../../lib/orders'

export const metadata = { title: 'Orders' }

const money = new Intl.NumberFormat('en', { style: 'currency', currency: 'EUR' })

export default async function Orders() {
  const { user } = await requireUser(auth, { returnTo: '/orders' })
  const orders = await fetchOrders(user.id)
  return (
    <Page path="/orders" user={user}>
      <h1>Orders</h1>
      <p className="lead">Fetched just now from an API that accepts nothing but your access token.</p>
      <section className="panel">
        <table>
          <thead>
            <tr>
              <th scope="col">Order</th>
              <th scope="col">Item</th>
              <th scope="col" className="number">
                Quantity
              </th>
              <th scope="col" className="number">
                Total
              </th>
              <th scope="col">State</th>
            </tr>
          </thead>
          <tbody>
            {orders.map(({ id, item, quantity, totalCents, state }) => (
              <tr key={id}>
                <td data-label="Order">
                  <code>{id}</code>
                </td>
                <td data-label="Item">{item}</td>
                <td data-label="Quantity" className="number">
                  {quantity}
                </td>
                <td data-label="Total" className="number">
                  {money.format(totalCents / 100)}
                </td>
                <td data-label="State">
                  <span className="chip">{state}</span>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </section>
    </Page>
  )
}
