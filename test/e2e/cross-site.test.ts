/**
 * Requests from a hostile page on another site, in a real browser: which of them carry the session cookie (RFC 6265bis section 5.2), and that
 * none changes anything. The application is on http://localhost, the hostile page on http://127.0.0.1: these are two sites.
 */
import { randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { NodeAuth } from '../../src/adapters/node.ts'
import { launchBrowser } from './browser.ts'
import { type Application, serve, signOutPage, startApplication, writeHtml } from './two-sites.ts'

type Method = 'GET' | 'POST' | 'DELETE'
type Carrier = 'lax' | 'never'

interface Way {
  readonly name: string
  readonly method: Method
  /** `lax`: carries a Lax cookie. No way carries a Strict cookie. */
  readonly carries: Carrier
  /** Runs in the hostile page. */
  readonly send: (url: string) => unknown
  /** A preflight stands in for the request, which the browser never sends. */
  readonly preflight?: true
}

const ways: readonly Way[] = [
  { name: 'script that leads to a page', method: 'GET', carries: 'lax', send: (url) => (location.href = url) },
  {
    name: 'form with GET',
    method: 'GET',
    carries: 'lax',
    send: (url) => {
      const [action = '', mark = ''] = url.split('?mark=')
      document.body.innerHTML = `<form action="${action}"><input name="mark" value="${mark}"></form>`
      document.forms[0]?.submit()
    },
  },
  { name: 'window of its own', method: 'GET', carries: 'lax', send: (url) => void window.open(url) },
  {
    name: 'form with POST',
    method: 'POST',
    carries: 'never',
    send: submitForm,
  },
  {
    name: 'form with POST into a frame',
    method: 'POST',
    carries: 'never',
    send: (url) => {
      const field = '<input name="_method" value="delete">'
      document.body.innerHTML = `<iframe name="f"></iframe><form method="post" target="f" action="${url}">${field}</form>`
      document.forms[0]?.submit()
    },
  },
  {
    name: 'frame',
    method: 'GET',
    carries: 'never',
    send: (url) => (document.body.innerHTML = `<iframe src="${url}"></iframe>`),
  },
  { name: 'image', method: 'GET', carries: 'never', send: (url) => (document.body.innerHTML = `<img src="${url}">`) },
  {
    name: 'script element',
    method: 'GET',
    carries: 'never',
    send: (url) => document.body.append(Object.assign(document.createElement('script'), { src: url })),
  },
  {
    name: 'fetch with credentials, GET',
    method: 'GET',
    carries: 'never',
    send: (url) => fetch(url, { credentials: 'include', mode: 'no-cors' }).catch(() => null),
  },
  {
    name: 'fetch with credentials, POST',
    method: 'POST',
    carries: 'never',
    send: (url) => {
      const body = new URLSearchParams({ _method: 'delete' })
      return fetch(url, { method: 'POST', credentials: 'include', mode: 'no-cors', body }).catch(() => null)
    },
  },
  { name: 'beacon', method: 'POST', carries: 'never', send: (url) => navigator.sendBeacon(url) },
  {
    name: 'fetch with credentials, DELETE',
    method: 'DELETE',
    carries: 'never',
    preflight: true,
    send: (url) => fetch(url, { method: 'DELETE', credentials: 'include' }).catch(() => null),
  },
]

interface Seen {
  readonly method: string
  readonly cookie: boolean
  readonly site: string | undefined
  status: number
}

const seen = new Map<string, Seen>()
const contexts: BrowserContext[] = []
let browser: Browser
let hostile: Awaited<ReturnType<typeof serve>>

beforeAll(async () => {
  browser = await launchBrowser()
  hostile = await serve(({ url = '' }, response) => {
    writeHtml(response, `<body><script>${decodeURIComponent(url.slice('/?'.length))}</script></body>`)
  }, '127.0.0.1')
})
afterEach(async () => {
  await Promise.all(contexts.splice(0).map((context) => context.close()))
})
afterAll(async () => {
  await Promise.all([browser.close(), hostile.close()])
})

describe.each(['lax', 'strict'] as const)('SameSite=%s', (sameSite) => {
  let app: Application
  let user: Page
  let other: Page

  beforeAll(async () => {
    app = await startApplication({ sameSite, page, observe })
    ;[user, other] = [await signedIn(app), await signedIn(app)]
    contexts.splice(0)
    await user.evaluate(() => fetch('/write?value=mine', { method: 'POST' }))
  })
  afterAll(async () => {
    await Promise.all([user.context().close(), other.context().close()])
    await app.close()
  })

  const targets: readonly (readonly [string, () => Promise<string> | string])[] = [
    ['the page of the application', () => '/'],
    ['a route of the application that writes', () => '/write'],
    ['sign-out', () => '/auth/logout'],
    ['the end of the other devices', () => '/auth/devices/revoke-others'],
    ['the end of another device', async () => `/auth/devices/${await idOf(other)}`],
  ]
  const rows = ways.flatMap((way) => targets.map(([target, path]) => ({ ...way, target, path })))

  it.each(rows)('$name: $target', async ({ method, carries, preflight, send, path }) => {
    const before = await stateOf(user)
    const mark = randomUUID()
    const attack = await attackFrom(user, send, `${app.url}${await path()}?mark=${mark}`)
    await expect.poll(() => seen.get(mark)?.status).toBeGreaterThan(0)
    expect(seen.get(mark)).toMatchObject({
      method: preflight ? 'OPTIONS' : method,
      cookie: carries === sameSite,
      site: 'cross-site',
    })
    await attack.waitForLoadState()
    await attack.close()
    expect(await stateOf(user)).toEqual(before)
    expect(before).toMatchObject({ user: true, data: { value: 'mine' }, devices: 2 })
  })

  it('a form of another site that reaches a route which writes is refused with its reason', async () => {
    const before = await stateOf(user)
    const attack = await attackFrom(user, submitForm, `${app.url}/write?value=hostile`)
    await attack.getByText('COATCHECK_SESSION_CROSS_SITE').waitFor()
    await attack.close()
    expect(await stateOf(user)).toEqual(before)
  })

  it('a sign-in that another site starts asks first, and none starts in the background', async () => {
    const before = await stateOf(user)
    const started = app.provider.counters.all()['authorize']
    for (const { name, method, send } of ways) {
      if (method !== 'GET') continue
      const mark = randomUUID()
      const attack = await attackFrom(user, send, `${app.url}/auth/login?mark=${mark}`)
      await expect.poll(() => seen.get(mark)?.status, { message: name }).toBeGreaterThan(0)
      const isNavigation = /script that leads|form|window/.test(name)
      expect(seen.get(mark)?.status, name).toBe(isNavigation ? 200 : 400)
      await attack.close()
    }
    expect(app.provider.counters.all()['authorize']).toBe(started)
    expect(await stateOf(user)).toEqual(before)

    const asked = await attackFrom(user, (url) => (location.href = url), `${app.url}/auth/login`)
    await asked.getByRole('heading', { name: 'Continue to sign-in?' }).waitFor()
    await asked.getByRole('link', { name: 'Continue' }).click()
    await expect.poll(() => app.provider.counters.all()['authorize']).toBe((started ?? 0) + 1)
    await asked.close()
  })

  it('the answer to a sign-in of the attacker signs in no other browser', async () => {
    const attacker = await browser.newContext()
    contexts.push(attacker)
    let answer = `${app.url}/auth/login?login_hint=grace@example.test`
    while (!answer.includes('code=')) {
      const { location = '' } = (await attacker.request.get(answer, { maxRedirects: 0 })).headers()
      expect(location).not.toBe('')
      answer = new URL(location, answer).href
    }

    const before = await stateOf(user)
    const attack = await attackFrom(user, (url) => (location.href = url), answer)
    await attack
      .getByText(/COATCHECK_/)
      .first()
      .waitFor()
    await attack.close()
    expect(await stateOf(user)).toEqual(before)
  })
})

/** Notes each request with a mark, and how it was answered. */
function observe(request: IncomingMessage, response: ServerResponse): void {
  const mark = new URL(request.url ?? '/', 'http://localhost').searchParams.get('mark')
  if (mark === null || seen.has(mark)) return
  const { method = '', headers } = request
  const site = headers['sec-fetch-site']
  const one: Seen = { method, cookie: /\bcoatcheck=/.test(headers.cookie ?? ''), site, status: 0 }
  seen.set(mark, one)
  response.on('finish', () => (one.status = response.statusCode))
}

/** `POST /write` writes; anything else shows a page. */
async function page(web: NodeAuth<Record<string, unknown>>, request: IncomingMessage, response: ServerResponse) {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost')
  if (pathname === '/data') {
    const { data } = await web.getSession(request, response)
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(data))
  } else if (pathname === '/write' && request.method === 'POST') {
    await (await web.getSession(request, response)).set('value', searchParams.get('value') ?? 'hostile')
    response.end('written')
  } else await signOutPage(web, request, response)
}

/** Runs in the hostile page. */
function submitForm(url: string): void {
  document.body.innerHTML = `<form method="post" action="${url}"><input name="_method" value="delete"></form>`
  document.forms[0]?.submit()
}

/** Opens the hostile page in the browser of the user. The page runs `send` by itself, because a script of Playwright counts as a click. */
async function attackFrom(user: Page, send: (url: string) => unknown, url: string): Promise<Page> {
  const attack = await user.context().newPage()
  const script = `addEventListener('load', () => setTimeout(${String(send)}, 20, ${JSON.stringify(url)}))`
  await attack.goto(`${hostile.url}/?${encodeURIComponent(script)}`)
  return attack
}

async function signedIn(app: Application): Promise<Page> {
  const context = await browser.newContext()
  contexts.push(context)
  const tab = await context.newPage()
  await tab.goto(`${app.url}/auth/login`)
  await tab.getByRole('button', { name: 'Ada Lovelace' }).click()
  await tab.getByRole('heading', { name: 'Signed in' }).waitFor()
  return tab
}

async function idOf(tab: Page): Promise<string> {
  const body = await tab.evaluate(async () => (await fetch('/auth/session')).json() as Promise<unknown>)
  return (body as { session: { id: string } }).session.id
}

/** What the application holds about the user of this browser, and the cookie as the browser holds it. */
async function stateOf(tab: Page) {
  const ask = async (path: string): Promise<Record<string, unknown>> =>
    tab.evaluate(async (at) => (await fetch(at)).json() as Promise<Record<string, unknown>>, path)
  const cookies = await tab.context().cookies(new URL(tab.url()).origin)
  const devices = (await ask('/auth/devices'))['devices'] as unknown[] | undefined
  return {
    user: 'user' in (await ask('/auth/session')),
    data: await ask('/data'),
    devices: devices?.length,
    ticket: cookies.find(({ name }) => name === 'coatcheck')?.value,
  }
}
