import * as client from 'openid-client'
import { afterEach, describe, expect, it } from 'vitest'
import type { OrdersApi } from './orders-api.ts'
import { closeProviders, refreshTokenOf, signIn, start, startOrders } from '../../test/support/dev-provider-client.ts'

afterEach(closeProviders)

describe('orders API', () => {
  const orders = (api: OrdersApi, token?: string): Promise<Response> =>
    fetch(`${api.url}/orders`, token === undefined ? {} : { headers: { authorization: `Bearer ${token}` } })

  it('serves a token of its audience and scope, and always the same orders', async () => {
    const provider = await start()
    const api = await startOrders(provider)
    const { tokens } = await signIn(provider)
    const response = await orders(api, tokens.access_token)
    expect(response.status).toBe(200)
    const body = (await response.json()) as { owner: string; orders: unknown[] }
    expect(body.owner).toBe('Ada Lovelace')
    expect(body.orders).toHaveLength(4)
    expect(await (await orders(api, tokens.access_token)).json()).toEqual(body)
  })

  it('refuses no token, a foreign one, one of another audience and one of another scope', async () => {
    const provider = await start()
    const stranger = await start()
    const api = await startOrders(provider)
    const { config, tokens } = await signIn(provider)
    const foreign = await signIn(stranger)
    const grant = (scope: string) => client.refreshTokenGrant(config, refreshTokenOf(tokens), { scope })
    const reports = await grant('api://reports/Reports.Read')
    const writing = await grant('api://orders/Orders.Write')
    const cases = [
      [undefined, 401, 'Bearer realm="api://orders"'],
      ['nonsense', 401, 'Bearer realm="api://orders", error="invalid_token"'],
      [foreign.tokens.access_token, 401, 'Bearer realm="api://orders", error="invalid_token"'],
      [reports.access_token, 401, 'Bearer realm="api://orders", error="invalid_token"'],
      [writing.access_token, 403, 'Bearer realm="api://orders", error="insufficient_scope", scope="Orders.Read"'],
    ] as const
    for (const [token, status, challenge] of cases) {
      const response = await orders(api, token)
      expect([response.status, response.headers.get('www-authenticate')]).toEqual([status, challenge])
    }
  })
})
