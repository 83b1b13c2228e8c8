// @ts-check
/** The user's orders, as the protected API tells them. */
import { html } from '../html.js'
import { layout } from './layout.js'

const money = new Intl.NumberFormat('en', { style: 'currency', currency: 'EUR' })

/** @param {{ path: string, user: import('coatcheck').User, orders: readonly import('../orders.js').Order[] }} view */
export function ordersPage({ path, user, orders }) {
  return layout(
    { title: 'Orders', path, user },
    html`<h1>Orders</h1>
      <p class="lead">Fetched just now from an API that accepts nothing but your access token.</p>
      <section class="panel">
        <table>
          <thead>
            <tr>
              <th scope="col">Order</th>
              <th scope="col">Item</th>
              <th scope="col" class="number">Quantity</th>
              <th scope="col" class="number">Total</th>
              <th scope="col">State</th>
            </tr>
          </thead>
          <tbody>
            ${orders.map(line)}
          </tbody>
        </table>
      </section>`,
  )
}

/** @param {import('../orders.js').Order} order */
function line({ id, item, quantity, totalCents, state }) {
  return html`<tr>
    <td data-label="Order"><code>${id}</code></td>
    <td data-label="Item">${item}</td>
    <td data-label="Quantity" class="number">${quantity}</td>
    <td data-label="Total" class="number">${money.format(totalCents / 100)}</td>
    <td data-label="State"><span class="chip">${state}</span></td>
  </tr>`
}
