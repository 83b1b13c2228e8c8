/**
 * No secret leaves its place. One run through everything that the demo does, with two instances on one Redis, with failures
 * and with an outage; every response of every server recorded, every line that was printed, every command that Redis received,
 * logged and kept. Then the search for each ticket, token, code, key, client secret and e-mail address that existed.
 */
import { randomBytes } from 'node:crypto'
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { devUserList } from '../../src/dev/dev-provider.ts'
import { launchBrowser } from '../e2e/browser.ts'
import { type Demo, startDemo } from '../e2e/demo-process.ts'
import { type Canary, type CanarySearch, type Finding, searchFor } from '../support/canaries.ts'
import {
  headerLines,
  readExchanges,
  type RecordedExchange,
  recordingEnvironment,
} from '../support/recorded-exchange.ts'
import { type RedisServer, startRedisServer } from '../support/redis-server.ts'

const KEY = randomBytes(32).toString('base64')
const OLD_KEY = randomBytes(32).toString('base64')
const NAMES_KEY = randomBytes(32).toString('base64')
/** Seconds, of which an access token serves for 3: the example asks for 5 s of validity. */
const ACCESS_TTL = '8'
const FORGED_CODE = randomBytes(32).toString('base64url')
/** `searchFor` refuses fewer characters; the name of the cookie is in `examples/express`. */
const TICKET = /^coatcheck=([\w-]{98});/

const folder = mkdtempSync(join(tmpdir(), 'coatcheck-canaries-'))
const recordFile = join(folder, 'exchanges.jsonl')

let redis: RedisServer
let demo: Demo
let other: string
let browser: Browser
const contexts: BrowserContext[] = []

/** What the run left behind. */
let exchanges: readonly RecordedExchange[]
let canaries: readonly Canary[]
let search: CanarySearch
/** Name to content: dumps, the file of all writes, the server's log, every command it received. */
const redisPlaces = new Map<string, Buffer>()

beforeAll(async () => {
  redis = await startRedisServer({
    args: ['--rdbcompression', 'no', '--appendonly', 'yes', '--aof-use-rdb-preamble', 'no', '--loglevel', 'debug'],
  })
  const monitored = await monitor(redis.port)
  demo = await startDemo({
    arguments: ['--instances', '2', '--access-ttl', ACCESS_TTL],
    env: {
      ...recordingEnvironment(recordFile),
      REDIS_URL: redis.url,
      COATCHECK_KEYS: `new:${KEY},old:${OLD_KEY},names:${NAMES_KEY}`,
      DEBUG: 'coatcheck:*',
      COATCHECK_LOG: 'debug',
    },
  })
  expect(demo.output().stdout, demo.output().stderr).toContain(`ready ${demo.url}\n`)
  other = `http://localhost:${String(demo.port + 1)}`
  browser = await launchBrowser()

  await runFlows()
  await keepDump('dump at the end')
  await Promise.all(contexts.map((context) => context.close()))
  await demo.stop()
  redisPlaces.set('commands that Redis received', monitored.stop())
  redisPlaces.set('log of Redis', readFileSync(join(redis.dir, 'log')))
  const appendOnly = join(redis.dir, 'appendonlydir')
  for (const name of readdirSync(appendOnly)) redisPlaces.set(name, readFileSync(join(appendOnly, name)))

  exchanges = readExchanges(recordFile)
  canaries = collectCanaries(exchanges)
  search = searchFor(canaries)
})

afterAll(async () => {
  await Promise.all([browser?.close(), demo?.stop()])
  await redis?.stop()
  rmSync(folder, { recursive: true, force: true })
})

// ---- the run ----

async function runFlows(): Promise<void> {
  const ada = await newDevice()
  await signIn(ada, 'Ada Lovelace')
  await visitAll(ada)
  await untilRefreshed(ada)

  const [second, third] = [await newDevice(), await newDevice()]
  await signIn(second, 'Ada Lovelace', other)
  await signIn(third, 'Ada Lovelace')
  const grace = await newDevice()
  await signIn(grace, 'Grace Hopper', other)
  await visitAll(grace)
  for (const name of ['Linus Torvalds', 'Barbara Liskov']) {
    const page = await newDevice()
    await signIn(page, name)
    await visitAll(page)
  }
  // Signed in already, and once more: the ticket changes hands.
  await ada.goto(`${demo.url}/auth/login?returnTo=/profile`)
  await ada.getByRole('heading', { name: 'Profile' }).waitFor()

  await failCallbacks()
  await sendNonsense(ada)
  await passOutage(ada)
  // A sign-in under way, which Redis must not know of. Signed-in people, their tokens, and the memory of used sign-ins.
  await (await newDevice()).goto(`${demo.url}/auth/login`)
  await keepDump('dump with people signed in')

  await ada.goto(`${demo.url}/devices`)
  await ada
    .getByRole('button', { name: /^Sign out Chrom/ })
    .first()
    .click()
  await ada.getByRole('heading', { name: 'Your devices' }).waitFor()
  await ada.getByRole('button', { name: 'Sign out everywhere else' }).click()
  await ada.getByRole('button', { name: 'Sign out everywhere else' }).waitFor({ state: 'detached' })
  for (const page of [second, third])
    expect((await page.context().request.get(`${demo.url}/api/me`)).status()).toBe(401)
  for (const page of [ada, grace]) await signOut(page)
}

async function newDevice(): Promise<Page> {
  const context = await browser.newContext()
  contexts.push(context)
  const page = await context.newPage()
  return page
}

async function signIn(page: Page, who: string, base = demo.url): Promise<void> {
  await page.goto(base)
  await page.getByRole('main').getByRole('link', { name: 'Sign in' }).click()
  await page.getByRole('button', { name: who }).click()
  await page.getByRole('heading', { name: 'Welcome' }).waitFor()
}

async function signOut(page: Page): Promise<void> {
  const stolen = await page.context().cookies(demo.url)
  await page.getByRole('button', { name: 'Sign out' }).first().click()
  await page.getByRole('heading', { name: 'Hand in your coat' }).waitFor()
  await page.context().addCookies(stolen)
  expect((await page.context().request.get(`${demo.url}/api/me`)).status()).toBe(401)
}

async function visitAll(page: Page): Promise<void> {
  const paths = ['/', '/profile', '/orders', '/tokens', '/devices', '/api/me', '/api/orders']
  for (const path of [...paths, '/auth/session', '/auth/devices', '/metrics', '/nowhere']) {
    for (const base of [demo.url, other]) await page.context().request.get(base + path)
  }
}

async function untilRefreshed(page: Page): Promise<void> {
  const refreshes = async () => (await demo.counters())['token:refresh_token'] ?? 0
  const before = await refreshes()
  await vi.waitUntil(
    async () => {
      expect((await page.context().request.get(`${demo.url}/api/orders`)).status()).toBe(200)
      return (await refreshes()) > before
    },
    { timeout: 120_000, interval: 500 },
  )
  await page.goto(`${demo.url}/tokens`)
  await page.getByText(/refreshed$/).waitFor()
}

/** Denied by the provider; a code of nobody; another browser's sign-in; an answer that comes twice; an error with a text. */
async function failCallbacks(): Promise<void> {
  const denied = await newDevice()
  await denied.goto(`${demo.url}/auth/login`)
  await denied.getByRole('button', { name: 'Margaret Hamilton' }).click()
  await denied.getByText('COATCHECK_SIGNIN_DENIED').waitFor()

  const finished = readExchanges(recordFile).find(({ request }) => request.url.startsWith('/auth/callback?code='))
  const answers: [state: 'own' | 'none', query: string][] = [
    ['own', `code=${FORGED_CODE}`],
    ['none', `code=${FORGED_CODE}`],
    ['own', 'error=server_error&error_description=ask+ada@example.test'],
  ]
  for (const [whose, query] of answers) {
    const start = await fetch(`${demo.url}/auth/login`, { redirect: 'manual' })
    expect(start.status).toBe(303)
    const state = new URL(start.headers.get('location')!).searchParams.get('state')!
    const cookie = start.headers.getSetCookie().map((line) => line.split(';')[0]!)
    const url = `${demo.url}/auth/callback?${query}&state=${state}`
    const answer = await fetch(url, {
      headers: whose === 'own' ? { cookie: cookie.join('; ') } : {},
      redirect: 'manual',
    })
    expect(answer.status).toBeGreaterThanOrEqual(400)
  }
  const again = await fetch(demo.url + finished!.request.url, {
    headers: { cookie: finished!.request.headers.cookie! },
  })
  expect(again.status).toBe(400)
}

/** A ticket that was tampered with, one that stands there twice, in an address, and a form of another site. */
async function sendNonsense(page: Page): Promise<void> {
  const { value } = (await page.context().cookies(demo.url)).find(({ name }) => name === 'coatcheck')!
  const tampered = (value.startsWith('A') ? 'B' : 'A') + value.slice(1)
  for (const cookie of [`coatcheck=${tampered}`, `coatcheck=${value}; coatcheck=${value}`, `coatcheck="${value}"`]) {
    for (const path of ['/api/me', '/profile', '/auth/session'])
      await fetch(demo.url + path, { headers: { cookie }, redirect: 'manual' })
  }
  const forged = await fetch(`${demo.url}/auth/logout`, {
    method: 'POST',
    headers: { cookie: `coatcheck=${value}`, origin: 'https://elsewhere.example', 'sec-fetch-site': 'cross-site' },
    body: new URLSearchParams({ ticket: value }),
    redirect: 'manual',
  })
  expect(forged.status).toBe(403)
}

/** Reads, writes and a sign-in while Redis hangs. */
async function passOutage(page: Page): Promise<void> {
  const { request } = page.context()
  const start = await newDevice()
  await start.goto(`${demo.url}/auth/login`)
  redis.pause()
  for (const path of ['/api/me', '/profile', '/orders', '/auth/session'])
    expect((await request.get(demo.url + path, { maxRedirects: 0 })).status(), path).toBe(503)
  // The way to the provider needs no Redis, the way back does.
  expect((await request.get(`${demo.url}/auth/login`, { maxRedirects: 0 })).status()).toBe(303)
  await start.getByRole('button', { name: 'Grace Hopper' }).click()
  await start.waitForURL(/\/auth\/callback/)
  redis.resume()
  for (const base of [demo.url, other])
    await vi.waitUntil(async () => (await request.get(`${base}/api/me`)).status() === 200, {
      timeout: 120_000,
      interval: 50,
    })
}

async function keepDump(name: string): Promise<void> {
  expect(await redis.cli('save')).toBe('OK')
  const copy = join(folder, 'dump.rdb')
  copyFileSync(join(redis.dir, 'dump.rdb'), copy)
  redisPlaces.set(name, readFileSync(copy))
}

/** Every command that reaches the server, arguments of scripts included. */
async function monitor(port: number): Promise<{ stop(): Buffer }> {
  const chunks: Buffer[] = []
  const socket: Socket = connect({ host: '127.0.0.1', port })
  socket.on('error', () => undefined).write('MONITOR\r\n')
  await new Promise<void>((resolve) => {
    socket.on('data', (chunk) => {
      chunks.push(chunk)
      resolve()
    })
  })
  return {
    stop() {
      socket.destroy()
      return Buffer.concat(chunks)
    },
  }
}

// ---- what existed ----

const isProvider = ({ port }: RecordedExchange): boolean => demo.providerUrl.endsWith(`:${String(port)}`)
const isApplication = ({ port }: RecordedExchange): boolean => port === demo.port || port === demo.port + 1
const isTokenAnswer = (exchange: RecordedExchange): boolean =>
  isProvider(exchange) && /\/token$/.test(exchange.request.url)

function collectCanaries(all: readonly RecordedExchange[]): readonly Canary[] {
  const found = new Map<string, Canary>()
  const add = (kind: string, value: unknown): void => {
    if (typeof value === 'string' && value !== '') found.set(`${kind}:${value}`, { kind, value })
  }
  for (const exchange of all) {
    const form = new URLSearchParams(exchange.request.body)
    const query = new URL(exchange.request.url, 'http://localhost').searchParams
    if (isTokenAnswer(exchange)) {
      const answer = JSON.parse(exchange.response.body) as Record<string, unknown>
      for (const name of ['access_token', 'refresh_token', 'id_token']) add(name.replace('_', ' '), answer[name])
      for (const name of ['code', 'code_verifier', 'client_secret', 'refresh_token'])
        add(name.replace('_', ' '), form.get(name))
    } else if (isProvider(exchange)) for (const name of ['state', 'nonce']) add(name, query.get(name))
    else if (isApplication(exchange)) {
      for (const name of ['code', 'state']) add(name, query.get(name))
      for (const [name, value] of headerLines(exchange)) {
        if (name !== 'set-cookie') continue
        add('ticket', TICKET.exec(value)?.[1])
        add('sign-in cookie', /^coatcheck-signin-[\w-]{22}=([\w-]{200,});/.exec(value)?.[1])
      }
    }
  }
  const tickets = [...found.values()].filter(({ kind }) => kind === 'ticket')
  // The rest of a ticket is a name; these 32 bytes are its secret (src/session/ticket.ts).
  const secrets = tickets.map(({ value }) => Buffer.from(String(value), 'base64url').subarray(29, 61))
  return [
    ...found.values(),
    ...secrets.map((value) => ({ kind: 'secret of a ticket', value })),
    { kind: 'encryption key', value: KEY },
    { kind: 'encryption key', value: OLD_KEY },
    { kind: 'encryption key', value: NAMES_KEY },
    ...devUserList.map(({ email }) => ({ kind: 'e-mail', value: email })),
  ]
}

// ---- where they may be ----

interface Answer {
  readonly exchange: RecordedExchange
  /** `header <name>` or `body`. */
  readonly part: string
}

const pathOf = ({ request }: RecordedExchange): string => request.url.replace(/\?.*/, '')
const ownPages = new Set(['/profile', '/api/me', '/auth/session'])

/** The only places, because the protocol or the user's own eyes want them there. */
const allowed: readonly { readonly kinds: readonly string[]; readonly where: (answer: Answer) => boolean }[] = [
  {
    kinds: ['ticket', 'secret of a ticket', 'sign-in cookie'],
    where: ({ exchange, part }) => isApplication(exchange) && part === 'header set-cookie',
  },
  {
    kinds: ['state', 'nonce'],
    where: ({ exchange, part }) => pathOf(exchange) === '/auth/login' && part === 'header location',
  },
  {
    kinds: ['code', 'state'],
    // The body of a redirect repeats its address as a link.
    where: ({ exchange, part }) =>
      isProvider(exchange) && exchange.response.status === 303 && ['header location', 'body'].includes(part),
  },
  {
    kinds: ['e-mail'],
    where: ({ exchange, part }) => isApplication(exchange) && part === 'body' && ownPages.has(pathOf(exchange)),
  },
]

interface AnswerFinding extends Finding {
  readonly answer: Answer
}

function searchAnswers(within: CanarySearch, all: readonly RecordedExchange[]): readonly AnswerFinding[] {
  return all.flatMap((exchange) => {
    const parts = headerLines(exchange).map(([name, value]): [string, string] => [
      `header ${name}`,
      `${name}: ${value}`,
    ])
    const { method } = exchange.request
    return [...parts, ['body', exchange.response.body] as const].flatMap(([part, content]) =>
      within
        .find(`${method} ${pathOf(exchange)} ${String(exchange.response.status)}, ${part}`, content)
        .map((finding) => ({ ...finding, answer: { exchange, part } })),
    )
  })
}

const isAllowed = ({ kind, answer }: AnswerFinding): boolean =>
  allowed.some(({ kinds, where }) => kinds.includes(kind) && where(answer))

const named = (findings: readonly Finding[]): readonly string[] => [
  ...new Set(findings.map(({ kind, form, place }) => `${kind} (${form}) in ${place}`)),
]

/** The demo prints its users for the developer; this is no log of a visit. */
function logs(): readonly [name: string, content: string][] {
  const { stdout, stderr } = demo.output()
  const lines = stdout.split('\n')
  const start = lines.findIndex((line) => line.startsWith('who can sign in'))
  const banner = lines.splice(start + 1, devUserList.length)
  expect(
    banner.map(
      (line) =>
        line
          .trim()
          .split(/\s{2,}/)[1]
          ?.split(' ')[0],
    ),
  ).toEqual(devUserList.map(({ email }) => email))
  return [
    ['stdout', lines.join('\n')],
    ['stderr', stderr],
  ]
}

// ---- the search ----

describe('a run through everything that the demo does', () => {
  it.each([
    ['ticket', 7],
    ['secret of a ticket', 7],
    ['sign-in cookie', 10],
    ['access token', 6],
    ['refresh token', 6],
    ['id token', 6],
    ['code', 6],
    ['state', 10],
    ['nonce', 10],
    ['code verifier', 6],
    ['client secret', 1],
    ['encryption key', 3],
    ['e-mail', 5],
  ])('had at least one %s to search for', (kind, atLeast) => {
    const values = canaries.filter((canary) => canary.kind === kind).map(({ value }) => value.toString('hex'))
    expect(new Set(values).size).toBeGreaterThanOrEqual(atLeast)
  })

  it('was all of it: every page and route, by both instances, and every failure', () => {
    const seen = exchanges
      .filter(isApplication)
      .map((exchange) => `${pathOf(exchange)} ${String(exchange.response.status)}`)
    const wanted = ['/profile 200', '/orders 200', '/tokens 200', '/devices 200', '/api/me 200', '/api/orders 200']
    wanted.push('/auth/login 303', '/auth/callback 303', '/auth/logout 303', '/auth/devices/revoke-others 303')
    wanted.push('/auth/session 200', '/auth/devices 200', '/api/me 401', '/nowhere 404', '/auth/logout 403')
    wanted.push('/auth/callback 400', '/auth/callback 403', '/auth/callback 503', '/api/me 503')
    expect(seen).toEqual(expect.arrayContaining(wanted))
    expect(seen.filter((line) => /^\/auth\/devices\/(?!revoke).* 303$/.test(line))).toHaveLength(1)
    expect(new Set(exchanges.filter(isApplication).map(({ port }) => port)).size).toBe(2)
    expect(demo.output().stderr).toContain('COATCHECK_REDIS_TIMEOUT')
  })

  it('left no secret in Redis: not kept, not written, not logged, in no command', () => {
    expect(redisPlaces.size).toBeGreaterThanOrEqual(6)
    for (const [place, content] of redisPlaces) expect(named(search.find(place, content))).toEqual([])
  })

  it('left names in Redis that the dump shows, of every kind', async () => {
    const dump = redisPlaces.get('dump with people signed in')!
    const text = dump.toString('latin1')
    for (const name of [/user:session:\{[\w-]{16}\}:/, /user:\{[\w-]{16}\}:gen/]) expect(text).toMatch(name)
    expect(text).toMatch(/user:\{[\w-]{16}\}:tokens/)
    expect(text).toMatch(/signin:[\w-]{22}/)
    const names = (await redis.cli('--scan')).split('\n')
    expect(names.length).toBeGreaterThan(5)
    const last = redisPlaces.get('dump at the end')!
    for (const name of names) expect(last.includes(name)).toBe(true)
  })

  it('left no secret in what was printed', () => {
    for (const [place, content] of logs()) expect(named(search.find(place, content))).toEqual([])
  })

  it('was logged: what happened, at every level, by both instances, each line one of JSON', () => {
    const lines = demo
      .output()
      .stderr.split('\n')
      .filter((line) => line.startsWith('{"level":'))
      .map((line) => JSON.parse(line) as { level: number; pid: number; event: string })
    const events = new Set(lines.map(({ event }) => event))
    const wanted = ['redis.status', 'redis.operation', 'session.found', 'session.missed', 'session.find-failed']
    wanted.push('session.created', 'session.ended', 'session.user-ended', 'token.hit', 'token.refreshed')
    wanted.push('signin.started', 'signin.completed', 'signin.failed', 'signout', 'request.refused', 'ticket.duplicate')
    expect([...events]).toEqual(expect.arrayContaining(wanted))
    expect(new Set(lines.map(({ level }) => level))).toEqual(new Set([20, 30, 40]))
    expect(new Set(lines.map(({ pid }) => pid)).size).toBe(2)
  })

  it('left secrets in responses only where they belong', () => {
    const answers = exchanges.filter((exchange) => !isTokenAnswer(exchange))
    // Addresses stand on the provider's page where people pick who they are; it is not ours.
    const findings = searchAnswers(search, answers).filter(
      ({ kind, answer }) => !(kind === 'e-mail' && isProvider(answer.exchange)),
    )
    expect(named(findings.filter((finding) => !isAllowed(finding)))).toEqual([])
    // Each exception is one that happens, so the search does find what is there.
    for (const { kinds, where } of allowed)
      for (const kind of kinds)
        expect(findings.some((finding) => finding.kind === kind && where(finding.answer))).toBe(true)
  })

  it('showed everybody their own address and nobody another one', () => {
    const shown = new Map<string, Set<string>>()
    for (const { email } of devUserList) {
      const own = searchFor([{ kind: 'e-mail', value: email }])
      for (const { answer } of searchAnswers(own, exchanges.filter(isApplication))) {
        const ticket = /coatcheck=([\w-]{98})/.exec(answer.exchange.request.headers.cookie ?? '')?.[1] ?? 'nobody'
        shown.set(ticket, (shown.get(ticket) ?? new Set()).add(email))
      }
    }
    expect(shown.size).toBeGreaterThanOrEqual(4)
    for (const [ticket, emails] of shown) expect([ticket === 'nobody', emails.size]).toEqual([false, 1])
  })
})

describe('the search', () => {
  it('finds each of these secrets in a dump, in what is printed and in a response', async () => {
    const log = logs()[1]![1]
    const page = exchanges.find((exchange) => isApplication(exchange) && pathOf(exchange) === '/tokens')!
    for (const [index, { value }] of canaries.entries()) {
      await redis.cli('hset', `planted:${String(index)}`, 'field', `{"value":"${value.toString('base64')}"}`)
    }
    await keepDump('planted')
    const planted = redisPlaces.get('planted')!
    for (const canary of canaries) {
      const one = searchFor([canary])
      const text = canary.value.toString('base64')
      const { response } = page
      const inBody = { ...page, response: { ...response, body: response.body.replace('</main>', `${text}</main>`) } }
      const inHead = {
        ...page,
        response: { ...response, head: response.head.replace('\r\n', `\r\nx-planted: ${text}\r\n`) },
      }
      expect(one.find('dump', planted)).not.toEqual([])
      expect(one.find('log', `${log}Error: ${text}\n`)).not.toEqual([])
      expect(searchAnswers(one, [inBody]).filter((finding) => !isAllowed(finding))).not.toEqual([])
      expect(searchAnswers(one, [inHead]).filter((finding) => !isAllowed(finding))).not.toEqual([])
    }
  })

  it('finds the tokens where they were handed out', () => {
    const kinds = new Set(searchAnswers(search, exchanges.filter(isTokenAnswer)).map(({ kind }) => kind))
    expect(kinds).toEqual(new Set(['access token', 'refresh token', 'id token', 'nonce', 'e-mail']))
  })
})
