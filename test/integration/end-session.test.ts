/** The way to the end-session endpoint by a form: the ID token is in no URL (docs/decisions/0025). */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type DevProvider, startDevProvider } from '../../src/dev/dev-provider.ts'
import { Browser, createTestApp, type TestApp } from '../support/test-app.ts'

let idp: DevProvider
beforeAll(async () => {
  idp = await startDevProvider({ redirectUris: ['http://localhost:3000/auth/callback'] })
})
afterAll(() => idp.close())

function start(): TestApp {
  const { issuer, clientId, clientSecret } = idp
  return createTestApp({
    providers: [
      {
        credential: { kind: 'secret', secret: clientSecret },
        ...{ name: 'op', preset: 'oidc', issuer, clientId, allowedTenants: [], responseMode: 'query' },
        discoveryUrl: `${issuer}/.well-known/openid-configuration`,
        scopes: ['openid', 'profile', 'email', 'offline_access'],
        allowInsecureHttp: true,
        endSessionMethod: 'post',
        settings: { authority: 'issuer', clientId: 'clientId', credential: 'clientSecret' },
      },
    ],
  })
}

it('hands the ID token over in a form with endSessionMethod: post, and puts it into no address', async () => {
  const app = start()
  const browser = new Browser(app)
  await browser.signIn()
  const page = await browser.request('/auth/logout', {
    method: 'POST',
    headers: { origin: 'http://localhost:3000', accept: 'text/html' },
  })
  expect([page.status, page.headers.get('location'), page.headers.get('cache-control')]).toEqual([
    200,
    null,
    'private, no-store',
  ])
  const policy = page.headers.get('content-security-policy') ?? ''
  expect(policy).toContain(`form-action 'self' https: ${new URL(idp.issuer).origin}; script-src 'sha256-`)
  expect(policy).not.toContain('unsafe-inline')
  const html = await page.text()
  const [, action = ''] = /<form method="post" action="([^"]+)">/.exec(html) ?? []
  const inputs = [...html.matchAll(/<input type="hidden" name="([^"]+)" value="([^"]+)">/g)]
  const fields = Object.fromEntries(inputs.map(([, name = '', value = '']) => [name, value]))
  expect(fields).toEqual({
    id_token_hint: expect.stringMatching(/^ey/) as string,
    post_logout_redirect_uri: 'http://localhost:3000/',
    client_id: idp.clientId,
  })
  expect(action).not.toContain('id_token_hint')
  // `oidc-provider` takes a POST only with cookies for other sites, which need https: the same parameters by GET.
  const atProvider = await browser.request(`${action}?${new URLSearchParams(fields).toString()}`)
  expect(atProvider.status).toBeLessThan(400)
  expect((await browser.json('/auth/session')).status).toBe(401)
})

it('gives that form to a client that takes JSON, and an address without the token', async () => {
  const app = start()
  const browser = new Browser(app)
  await browser.signIn()
  const answer = await browser.json('/auth/logout', { method: 'POST' })
  const { redirectTo, form } = (await answer.json()) as { redirectTo: string; form: { fields: object } }
  const query = new URL(redirectTo).searchParams
  expect([query.has('id_token_hint'), query.get('client_id')]).toEqual([false, idp.clientId])
  expect(form).toEqual({
    method: 'post',
    action: redirectTo.split('?')[0],
    fields: {
      id_token_hint: expect.stringMatching(/^ey/) as string,
      post_logout_redirect_uri: 'http://localhost:3000/',
      client_id: idp.clientId,
    },
  })
  // Without a session there is no token to hand over.
  expect(await (await browser.json('/auth/logout', { method: 'POST' })).json()).toEqual({ redirectTo: '/' })
})

it('gives no ID token of another device: it would name the provider session of that device', async () => {
  const app = start()
  const [library, laptop] = [new Browser(app), new Browser(app)]
  await library.signIn()
  await laptop.signIn()
  const answer = await (await library.json('/auth/logout', { method: 'POST' })).json()
  expect(Object.keys(answer as object)).toEqual(['redirectTo'])
  const { redirectTo } = answer as { redirectTo: string }
  expect([...new URL(redirectTo).searchParams.keys()].sort()).toEqual(['client_id', 'post_logout_redirect_uri'])
  const own = (await (await laptop.json('/auth/logout', { method: 'POST' })).json()) as { form: { fields: object } }
  expect(own.form.fields).toHaveProperty('id_token_hint')
})
