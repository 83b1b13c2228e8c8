/** HTTP scenarios about attacks and limits: planted cookies, other sites, hostile headers, routes that need a sign-in. */
import assert from 'node:assert/strict'
import { systemClock } from '../../core/clock.ts'
import type { ConformanceCase } from '../conformance.ts'
import { comparableAttributes, type HttpWorld, signedIn, visitor } from './visitor.ts'

const NAVIGATION = { accept: 'text/html', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' }
const HOSTILE = {
  host: 'evil.test',
  forwarded: 'host=evil.test;proto=http',
  'x-forwarded-host': 'evil.test',
  'x-forwarded-proto': 'http',
  'x-forwarded-uri': '/evil',
  'x-original-url': '/evil',
}

export const edgeScenarios: readonly ConformanceCase<HttpWorld>[] = [
  {
    name: 'who navigates without a session goes to sign-in and comes back; a program gets 401',
    async run(world) {
      const page = await visitor(world).send('/private?page=2', { headers: NAVIGATION })
      assert.equal(page.status, 303)
      assert.equal(page.headers.get('location'), '/auth/login?returnTo=%2Fprivate%3Fpage%3D2')
      const program = await visitor(world).send('/private', { headers: { accept: '*/*', 'sec-fetch-mode': 'cors' } })
      assert.equal(program.status, 401)
      assert.equal((JSON.parse(program.body) as { error: { code: string } }).error.code, 'COATCHECK_UNAUTHENTICATED')
      assert.equal((await (await signedIn(world)).send('/private')).status, 200)
    },
  },
  {
    name: 'a route with maxAge sends a user without a recent sign-in to the provider, and answers 401 to a program',
    async run(world) {
      const signIn = async (authenticated: string) => {
        const someone = visitor(world)
        await someone.send(`/sign-in?user=ada${authenticated}`, { method: 'POST' })
        return someone
      }
      const nowMs = systemClock.now()
      const recent = await signIn(`&authenticated=${nowMs - 60_000}`)
      assert.equal((await recent.send('/recent')).status, 200)
      const stale = [
        recent,
        await signIn(`&authenticated=${nowMs - 360_000}`),
        await signIn('&authenticated=unknown'),
        await signIn(''),
      ]
      await world.later(300_000, async () => {
        for (const someone of stale) {
          const page = await someone.send('/recent?page=2', { headers: NAVIGATION })
          assert.equal(page.status, 303)
          const location = new URL(page.headers.get('location') ?? '', 'https://app.test')
          assert.equal(location.pathname, '/auth/login')
          assert.deepEqual(Object.fromEntries(location.searchParams), { returnTo: '/recent?page=2', max_age: '300' })
          const headers = { accept: '*/*', 'sec-fetch-mode': 'cors' }
          const program = await someone.send('/recent', { headers })
          assert.equal(program.status, 401)
          const { error } = JSON.parse(program.body) as { error: { code: string } }
          assert.equal(error.code, 'COATCHECK_RECENT_SIGNIN_REQUIRED')
          assert.deepEqual(program.setCookies, [])
          assert.equal((await someone.me()).user?.id, 'ada')
        }
      })
      const anonymous = await visitor(world).send('/recent', { headers: NAVIGATION })
      assert.equal(anonymous.headers.get('location'), '/auth/login?returnTo=%2Frecent')
      const login = await visitor(world).send('/auth/login?max_age=300', { headers: NAVIGATION })
      assert.equal(new URL(login.headers.get('location') ?? '').searchParams.get('max_age'), '300')
    },
  },
  {
    name: 'two cookies of our name: another party has planted one, so neither counts',
    async run(world) {
      const someone = await signedIn(world)
      const cookie = `__Host-coatcheck=planted; __Host-coatcheck=${someone.ticket ?? ''}`
      let counted = 0
      const stop = world.auth.events.on('ticket.duplicate', ({ count }) => (counted += count))
      const { body, setCookies } = await visitor(world).send('/me', { headers: { cookie } })
      stop()
      assert.equal((JSON.parse(body) as { user: unknown }).user, null)
      assert.deepEqual(setCookies, [])
      assert.equal(counted, 2)
    },
  },
  {
    name: 'a request that another site has sent, without our cookie: what it writes as a visitor replaces no session',
    async run(world) {
      const write = async (headers: Record<string, string>, someone = visitor(world)): Promise<[number, number]> => {
        const { status, setCookies } = await someone.send('/set?key=a&value=1', { method: 'POST', headers })
        return [status, setCookies.length]
      }
      const crossSite = { 'sec-fetch-site': 'cross-site' }
      const form = {
        ...crossSite,
        'sec-fetch-mode': 'navigate',
        'sec-fetch-dest': 'document',
        origin: 'https://evil.test',
      }
      assert.deepEqual(await write(form), [403, 0])
      assert.deepEqual(await write({ ...form, 'sec-fetch-dest': 'iframe' }), [403, 0])
      assert.deepEqual(await write({ ...crossSite, 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'empty' }), [403, 0])
      // A link from another site carries a Lax cookie, so without one there is no session.
      const { origin: _, ...link } = form
      assert.deepEqual(await write(link), [200, 1])
      assert.deepEqual(await write({ ...form, 'sec-fetch-site': 'same-origin' }), [200, 1])
      assert.deepEqual(await write({}), [200, 1])
      // A visitor with a session keeps it, wherever the request comes from.
      assert.deepEqual(await write(form, await signedIn(world)), [200, 0])
    },
  },
  {
    name: 'a sign-out that another site has sent, without our cookie: the browser keeps its cookie and the session lives',
    async run(world) {
      const crossSite = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', origin: 'https://evil.test' }
      const signOut = async (headers: Record<string, string>, ticket: string | null): Promise<[number, number]> => {
        const { status, setCookies } = await visitor(world, ticket).send('/sign-out', { method: 'POST', headers })
        return [status, setCookies.length]
      }
      const form = { ...crossSite, 'sec-fetch-dest': 'document' }
      const someone = await signedIn(world)
      assert.deepEqual(await signOut(form, null), [403, 0])
      assert.deepEqual(await signOut({ ...crossSite, 'sec-fetch-dest': 'iframe' }, null), [403, 0])
      assert.equal((await someone.me()).user?.id, someone.userId)
      // The ticket cookie, and the one that makes the next sign-in ask for the account.
      assert.deepEqual(await signOut({ ...form, 'sec-fetch-site': 'same-origin' }, null), [200, 2])
      assert.deepEqual(await signOut({}, null), [200, 2])
      // A cookie that was sent belongs to this request, whether it opens a session or not.
      assert.deepEqual(await signOut(form, 'unknown'), [200, 2])
      assert.deepEqual(await signOut(form, someone.ticket), [200, 2])
      assert.equal((await visitor(world, someone.ticket).me()).user, null)
    },
  },
  {
    name: 'a cookie header of almost 16 KB with ours at its end',
    async run(world) {
      const someone = await signedIn(world)
      const others = Array.from({ length: 700 }, (_, index) => `filler_${String(index).padStart(4, '0')}=01234`).join(
        '; ',
      )
      const cookie = `${others}; __Host-coatcheck=${someone.ticket ?? ''}`
      const { status, body } = await visitor(world).send('/me', { headers: { cookie } })
      assert.equal(status, 200)
      assert.equal((JSON.parse(body) as { user: { id: string } }).user.id, someone.userId)
    },
  },
  {
    name: 'Host and X-Forwarded-* of the request reach no address that we send',
    async run(world) {
      const { origin } = world.auth.http.config().baseUrl
      const headers = { ...NAVIGATION, ...HOSTILE }
      const page = await visitor(world).send('/private', { headers })
      assert.equal(page.headers.get('location'), '/auth/login?returnTo=%2Fprivate')
      const login = await visitor(world).send('/auth/login?returnTo=//evil.test', { headers })
      const authorization = new URL(login.headers.get('location') ?? '')
      assert.equal(authorization.searchParams.get('redirect_uri'), `${origin}/auth/callback`)
      assert.doesNotMatch([...page.headers, ...login.headers].join('\n'), /evil/)
    },
  },
  {
    name: 'hostile request lines lead nowhere',
    async run(world) {
      for (const target of ['//evil.test/auth/login', 'http://evil.test/free', '/auth/../free', '/auth/%2e%2e/free']) {
        const { status, headers } = await visitor(world).send(target, { headers: NAVIGATION })
        assert.ok([200, 308, 404].includes(status), `${target}: ${status}`)
        const location = headers.get('location')
        if (location === undefined) assert.doesNotMatch([...headers].join('\n'), /evil/)
        // A framework may normalize slashes by itself, and then leads to no other place than the requested one.
        else
          assert.equal(
            new URL(location, world.origin).pathname.replace(/^.*(?=\/)/, ''),
            target.replace(/^.*(?=\/)/, ''),
          )
      }
    },
  },
  {
    name: 'an address under our path that does not exist is 404, a wrong method 405 with Allow, TRACE gets no answer of ours',
    async run(world) {
      assert.equal((await visitor(world).send('/auth/nothing')).status, 404)
      const wrong = await visitor(world).send('/auth/session', { method: 'POST' })
      assert.deepEqual([wrong.status, wrong.headers.get('allow')], [405, 'GET, HEAD, OPTIONS'])
      // Some frameworks refuse the method before any handler runs.
      assert.ok((await visitor(world).send('/auth/session', { method: 'TRACE' })).status >= 400)
    },
  },
  {
    name: 'a GET never signs out: it answers with a page that has the button',
    async run(world) {
      const someone = await signedIn(world)
      const page = await someone.send('/auth/logout?returnTo=/bye', { headers: NAVIGATION })
      assert.equal(page.status, 200)
      assert.match(page.body, /<form method="post" action="\/auth\/logout">.*value="\/bye".*<button/)
      assert.doesNotMatch(page.body, /<script/)
      assert.match(page.headers.get('content-security-policy') ?? '', /frame-ancestors 'none'/)
      assert.deepEqual(page.setCookies, [])
      assert.equal((await someone.me()).user?.id, someone.userId)
    },
  },
  {
    name: 'after a sign-out the next sign-in in that browser asks which account to use',
    async run(world) {
      const promptAfter = async (cookie: string): Promise<string | null> => {
        const { status, headers } = await visitor(world).send('/auth/login', { headers: { ...NAVIGATION, cookie } })
        assert.equal(status, 303)
        return new URL(headers.get('location') ?? '').searchParams.get('prompt')
      }
      const someone = await signedIn(world)
      const headers = { ...NAVIGATION, 'sec-fetch-site': 'same-origin' }
      const { setCookies } = await someone.send('/auth/logout', { method: 'POST', headers })
      const line = setCookies.find((cookie) => cookie.startsWith('__Host-coatcheck-signed-out=')) ?? ''
      const [pair = '', ...attributes] = line.split('; ')
      assert.equal(pair, '__Host-coatcheck-signed-out=1')
      const wanted = ['httponly', 'max-age=86400', 'path=/', 'samesite=lax', 'secure']
      assert.deepEqual(comparableAttributes(attributes), wanted)
      assert.match((await promptAfter(pair)) ?? 'none', /^(?:select_account|login)$/)
      assert.equal(await promptAfter('other=1'), null)
      const byItself = await (await signedIn(world)).send('/sign-out', { method: 'POST' })
      assert.ok(byItself.setCookies.some((cookie) => cookie.startsWith('__Host-coatcheck-signed-out=1')))
    },
  },
  {
    name: 'a change that comes from another site is refused',
    async run(world) {
      const someone = await signedIn(world)
      const headers = { 'sec-fetch-site': 'cross-site', origin: 'https://evil.test' }
      assert.equal((await someone.send('/auth/logout', { method: 'POST', headers })).status, 403)
      assert.equal((await someone.me()).user?.id, someone.userId)
    },
  },
]
