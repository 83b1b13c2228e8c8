/** HTTP scenarios about the option `adopt`: visitors with a cookie of another library. */
import assert from 'node:assert/strict'
import type { ConformanceCase } from '../conformance.ts'
import { assertNotStored, type HttpWorld, signedIn, visitor } from './visitor.ts'

/** An application on another library, whose cookies the adapter under test adopts. */
export interface OldApplication {
  /** Name of its session cookie. */
  readonly cookieName: string
  /**
   * Signs a user in, whose cart is `cart of <user>`, and returns the value of the cookie.
   * @param lifeMs default one hour
   */
  signIn(userId: string, lifeMs?: number): Promise<string>
  /** Whether the old session still exists. */
  isLive(value: string): Promise<boolean>
}

/** An `HttpWorld` whose adapter has a bridge in mode `read`, which returns the user id and the cart. */
export interface AdoptionWorld extends HttpWorld {
  /** The application from which the visitors come. */
  readonly old: OldApplication
}

let users = 0

/** A visitor with an old cookie, which is sent together with the Coatcheck cookie. */
async function newcomer(world: AdoptionWorld) {
  const userId = `newcomer-${++users}`
  const value = await world.old.signIn(userId)
  const someone = visitor(world)
  const cookies = (): { cookie: string } => {
    const { name } = world.auth.http.config().cookie
    const ours = someone.ticket === null ? '' : `${name}=${someone.ticket}; `
    return { cookie: `${ours}${world.old.cookieName}=${value}` }
  }
  const send: typeof someone.send = (target, options = {}) =>
    someone.send(target, { ...options, headers: { ...cookies(), ...options.headers } })
  const user = async (): Promise<string | null> => {
    const { status, body } = await send('/me')
    assert.equal(status, 200, body)
    return (JSON.parse(body) as { user: { id: string } | null }).user?.id ?? null
  }
  return { userId, value, send, user, someone, oldCookie: { cookie: `${world.old.cookieName}=${value}` } }
}

export const adoptionCases: readonly ConformanceCase<AdoptionWorld>[] = [
  {
    name: 'a visitor with an old cookie is signed in, gets our cookie, and then needs no old one',
    async run(world) {
      const { userId, send, someone } = await newcomer(world)
      const response = await send('/me')
      const { user, data } = JSON.parse(response.body) as { user: { id: string }; data: unknown }
      assert.deepEqual([user.id, data], [userId, { cart: `cart of ${userId}` }])
      assert.equal(response.setCookies.length, 1)
      assertNotStored(response)
      assert.equal((await someone.me()).user?.id, userId)
    },
  },
  {
    name: 'a guarded page and our routes know the user of an old cookie',
    async run(world) {
      const { userId, send, oldCookie } = await newcomer(world)
      assert.equal((await send('/private')).status, 200)
      const shown = await visitor(world).send('/auth/session', { headers: oldCookie })
      assert.equal(shown.status, 200, shown.body)
      assert.equal((JSON.parse(shown.body) as { user: { id: string } }).user.id, userId)
      assert.equal(shown.setCookies.length, 1)
    },
  },
  {
    name: 'with our cookie, and on a route that asks for no session, the old cookie costs no command',
    async run(world) {
      const { send } = await newcomer(world)
      await send('/me')
      assert.equal(await world.countCommands(() => send('/me')), 1)
      assert.equal(await world.countCommands(() => send('/free')), 0)
    },
  },
  {
    name: 'a forged old cookie costs no command and gets no session',
    async run(world) {
      const { value } = await newcomer(world)
      const forged = { cookie: `${world.old.cookieName}=${value.slice(0, -4)}AAAA` }
      const someone = visitor(world)
      const commands = await world.countCommands(async () => {
        assert.match((await someone.send('/me', { headers: forged })).body, /"user":null/)
      })
      assert.equal(commands, 0)
      assert.equal(someone.ticket, null)
    },
  },
  {
    name: '20 requests with the old cookie at once get one session',
    async run(world) {
      const { userId, oldCookie } = await newcomer(world)
      const bodies = await Promise.all(
        Array.from({ length: 20 }, async () => (await visitor(world).send('/me', { headers: oldCookie })).body),
      )
      assert.equal(new Set(bodies.map((body) => (JSON.parse(body) as { id: string }).id)).size, 1)
      assert.equal((await world.auth.sessions.listByUser(userId)).length, 1)
    },
  },
  {
    name: 'the session of a stream that has begun is there, and the next response brings the cookie',
    async run(world) {
      const { userId, send, someone } = await newcomer(world)
      const stream = await send('/set-in-stream?key=late&value=1')
      assert.match(stream.body, /^begin done$/)
      assert.equal(someone.ticket, null)
      await send('/me')
      assert.notEqual(someone.ticket, null)
      assert.deepEqual((await someone.me()).data, { cart: `cart of ${userId}`, late: '1' })
    },
  },
  {
    name: 'our logout route ends the old session too, removes both cookies, and a replay opens nothing',
    async run(world) {
      const { value, send, someone, oldCookie } = await newcomer(world)
      await send('/me')
      const headers = { 'sec-fetch-site': 'same-origin' }
      const response = await send('/auth/logout', { method: 'POST', headers })
      assert.equal(response.status, 200, response.body)
      const removed = response.setCookies.filter((line) => line.startsWith(`${world.old.cookieName}=;`))
      assert.equal(removed.length, 1)
      assert.equal(someone.ticket, null)
      assert.equal(await world.old.isLive(value), false)
      assert.match((await visitor(world).send('/me', { headers: oldCookie })).body, /"user":null/)
    },
  },
  {
    name: "the application's own sign-out ends the old session too",
    async run(world) {
      const { value, send, oldCookie } = await newcomer(world)
      await send('/me')
      await send('/sign-out', { method: 'POST' })
      assert.equal(await world.old.isLive(value), false)
      assert.match((await visitor(world).send('/me', { headers: oldCookie })).body, /"user":null/)
    },
  },
  {
    name: 'the user of our session stays, whichever user the old cookie names',
    async run(world) {
      const { oldCookie } = await newcomer(world)
      const ours = await signedIn(world)
      const { name } = world.auth.http.config().cookie
      const cookie = `${oldCookie.cookie}; ${name}=${ours.ticket ?? ''}`
      const { body } = await visitor(world).send('/me', { headers: { cookie } })
      assert.equal((JSON.parse(body) as { user: { id: string } }).user.id, ours.userId)
    },
  },
  {
    name: 'during an outage the visitor gets 503 and keeps both sessions',
    async run(world) {
      const { userId, send, user } = await newcomer(world)
      await world.breakStore()
      try {
        const response = await send('/me')
        assert.equal(response.status, 503)
        assert.deepEqual(response.setCookies, [])
      } finally {
        await world.mendStore()
      }
      assert.equal(await user(), userId)
    },
  },
]
