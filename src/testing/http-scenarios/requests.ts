/** HTTP scenarios about reading and writing within requests: cost, parallel writes, streams, redirects. */
import assert from 'node:assert/strict'
import type { ConformanceCase } from '../conformance.ts'
import { abandon } from '../raw-http.ts'
import { assertNotStored, type HttpWorld, signedIn, visitor } from './visitor.ts'

export const requestScenarios: readonly ConformanceCase<HttpWorld>[] = [
  {
    name: 'a request that never asks for its session costs no command, and says nothing about caching',
    async run(world) {
      const someone = await signedIn(world)
      const commands = await world.countCommands(async () => {
        const { status, headers } = await someone.send('/free')
        assert.equal(status, 200)
        assert.equal(headers.has('cache-control'), false)
      })
      assert.equal(commands, 0)
    },
  },
  {
    name: 'a read costs one command; without a cookie, or with a forged one, none',
    async run(world) {
      const someone = await signedIn(world)
      assert.equal(await world.countCommands(() => someone.me()), 1)
      const forged = `${(someone.ticket ?? '').slice(0, -4)}AAAA`
      assert.equal(await world.countCommands(() => visitor(world).me()), 0)
      assert.equal(await world.countCommands(() => visitor(world, forged).me()), 0)
    },
  },
  {
    name: 'what depends on the session is never stored by a cache',
    async run(world) {
      const someone = await signedIn(world)
      assertNotStored(await someone.send('/me'))
      assertNotStored(await visitor(world).send('/me'))
      assertNotStored(await visitor(world).send('/private'))
      assertNotStored(await someone.send('/auth/session'))
    },
  },
  {
    name: '8 parallel requests that write 8 keys: 8 are kept',
    async run(world) {
      const someone = await signedIn(world)
      const keys = Array.from({ length: 8 }, (_, index) => `key${index}`)
      await Promise.all(keys.map((key) => someone.send(`/set?key=${key}&value=1`, { method: 'POST' })))
      assert.deepEqual(Object.keys((await someone.me()).data).sort(), keys)
    },
  },
  {
    name: 'a sign-out with slow requests under way: they change nothing, and no user is signed in again, 20 times',
    async run(world) {
      const rounds = Array.from({ length: 20 }, async () => {
        const someone = await signedIn(world)
        const { ticket } = someone
        const slow = Array.from({ length: 4 }, () => visitor(world, ticket).send('/set-slowly', { method: 'POST' }))
        await new Promise((resolve) => setTimeout(resolve, 25))
        await someone.send('/sign-out', { method: 'POST' })
        for (const { body } of await Promise.all(slow)) {
          // A write that was faster than the sign-out succeeds. A write after it begins its own session.
          const { outcome } = JSON.parse(body) as { outcome: string }
          assert.match(outcome, /^(done|COATCHECK_SESSION_ENDED)$/)
        }
        assert.equal((await visitor(world, ticket).me()).user, null)
        assert.deepEqual(await world.auth.sessions.listByUser(someone.userId), [])
      })
      await Promise.all(rounds)
    },
  },
  {
    name: '20 sign-ins of one user at once, then the end of all others: exactly one is left',
    async run(world) {
      const user = `crowd-${Math.trunc(performance.now() * 1000)}`
      const all = Array.from({ length: 20 }, () => visitor(world))
      await Promise.all(all.map((one) => one.send(`/sign-in?user=${user}`, { method: 'POST' })))
      const [kept] = all
      const { id } = (await kept?.me()) ?? { id: null }
      const { count } = await world.auth.sessions.revokeByUser(user, { except: id ?? '' })
      assert.equal(count, 19)
      const left = await Promise.all(all.map(async (one) => (await one.me()).user?.id))
      assert.deepEqual(left, [user, ...Array<undefined>(19).fill(undefined)])
    },
  },
  {
    name: 'a redirect right after a write: the write is there before the redirect is',
    async run(world) {
      const someone = await signedIn(world)
      const { status, headers } = await someone.send('/set-and-redirect?key=a&value=1', { method: 'POST' })
      assert.equal(status, 303)
      assert.equal(headers.get('location'), '/me')
      assert.deepEqual((await someone.me()).data, { a: '1' })
    },
  },
  {
    name: 'a write in mid-stream is kept',
    async run(world) {
      const someone = await signedIn(world)
      assert.equal((await someone.send('/set-in-stream?key=a&value=1')).body, 'begin done')
      assert.deepEqual((await someone.me()).data, { a: '1' })
    },
  },
  {
    name: 'a new ticket after the headers have left fails loudly and creates nothing',
    async run(world) {
      const { body, setCookies } = await visitor(world).send('/set-in-stream?key=a&value=1')
      assert.equal(body, 'begin COATCHECK_HEADERS_SENT')
      assert.deepEqual(setCookies, [])
    },
  },
  {
    name: 'a client that leaves in mid-stream disturbs no other client',
    async run(world) {
      const someone = await signedIn(world)
      await Promise.all([abandon(world.origin, '/slow-stream', {}), abandon(world.origin, '/slow-stream', {})])
      assert.equal((await someone.me()).user?.id, someone.userId)
    },
  },
  {
    name: 'HEAD answers as GET does, without the body; OPTIONS names the methods of a route',
    async run(world) {
      const someone = await signedIn(world)
      for (const target of ['/me', '/auth/session']) {
        const response = await someone.send(target, { method: 'HEAD' })
        assert.equal(response.status, 200)
        assert.equal(response.body, '')
        assertNotStored(response)
      }
      const { status, headers, body } = await someone.send('/auth/logout', { method: 'OPTIONS' })
      assert.deepEqual([status, headers.get('allow'), body], [204, 'GET, POST, OPTIONS', ''])
    },
  },
]
