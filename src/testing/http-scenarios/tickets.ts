/** HTTP scenarios about tickets: when a cookie is set, its attributes, and when an old ticket is invalid. */
import assert from 'node:assert/strict'
import type { ConformanceCase } from '../conformance.ts'
import { assertNotStored, comparableAttributes, type HttpWorld, signedIn, visitor } from './visitor.ts'

export const ticketScenarios: readonly ConformanceCase<HttpWorld>[] = [
  {
    name: 'sign-in sets one cookie: __Host-, Secure, HttpOnly, SameSite=Lax, Path=/, no Domain, life of the absolute timeout',
    async run(world) {
      const response = await visitor(world).send('/sign-in?user=ada', { method: 'POST' })
      assert.equal(response.setCookies.length, 1)
      const [pair = '', ...attributes] = (response.setCookies[0] ?? '').split('; ')
      assert.match(pair, /^__Host-coatcheck=[\w-]+$/)
      assert.deepEqual(comparableAttributes(attributes), [
        'httponly',
        'max-age=86400',
        'path=/',
        'samesite=lax',
        'secure',
      ])
      assertNotStored(response)
    },
  },
  {
    name: 'a response with a ticket is never stored by a cache, whatever the application sets afterwards',
    async run(world) {
      const someone = visitor(world)
      assertNotStored(await someone.send('/sign-in?user=ada&cached', { method: 'POST' }))
      assertNotStored(await someone.send('/sign-out?cached', { method: 'POST' }))
    },
  },
  {
    name: 'sign-in gives a new ticket and carries what was named; the old ticket is dead at once',
    async run(world) {
      const someone = visitor(world)
      await someone.send('/set?key=cart&value=coat', { method: 'POST' })
      await someone.send('/set?key=other&value=hat', { method: 'POST' })
      const before = someone.ticket
      await someone.send('/sign-in?user=grace', { method: 'POST' })
      assert.notEqual(someone.ticket, before)
      const { user, data } = await someone.me()
      assert.equal(user?.id, 'grace')
      assert.deepEqual(data, { cart: 'coat' })
      assert.deepEqual(await visitor(world, before).me(), { id: null, user: null, data: {} })
    },
  },
  {
    name: 'a privilege change gives a new ticket for the same session; the old one is dead at once',
    async run(world) {
      const someone = await signedIn(world)
      const before = someone.ticket
      const { id } = await someone.me()
      await someone.send('/rotate?immediate', { method: 'POST' })
      assert.notEqual(someone.ticket, before)
      assert.equal((await someone.me()).id, id)
      assert.equal((await visitor(world, before).me()).user, null)
    },
  },
  {
    name: 'a rotation whose answer is lost signs no user out',
    async run(world) {
      const someone = await signedIn(world)
      const before = someone.ticket
      await someone.send('/rotate', { method: 'POST' })
      assert.notEqual(someone.ticket, before)
      assert.equal((await visitor(world, before).me()).user?.id, someone.userId)
    },
  },
  {
    name: 'sign-out ends the session and removes the cookie with the attributes that it was set with',
    async run(world) {
      const someone = await signedIn(world)
      const { ticket } = someone
      const response = await someone.send('/sign-out', { method: 'POST' })
      const [pair = '', ...attributes] = (response.setCookies[0] ?? '').split('; ')
      assert.equal(pair, '__Host-coatcheck=')
      assert.deepEqual(comparableAttributes(attributes), ['httponly', 'max-age=0', 'path=/', 'samesite=lax', 'secure'])
      assert.equal((await visitor(world, ticket).me()).user, null)
    },
  },
  {
    name: 'an expired session is a visitor like any other',
    async run(world) {
      const someone = await signedIn(world)
      await world.later(9 * 3_600_000, async () => assert.equal((await someone.me()).user, null))
      await world.later(25 * 3_600_000, async () => assert.equal((await someone.me()).user, null))
    },
  },
  {
    name: 'a revoked session is dead at the next request, and no later write brings it back',
    async run(world) {
      const someone = await signedIn(world)
      const { id } = await someone.me()
      await world.auth.sessions.revoke(id ?? '')
      assert.equal((await someone.me()).user, null)
      const revoked = someone.ticket
      // A write of a visitor without a session starts a new one, under a new ticket.
      await someone.send('/set?key=a&value=1', { method: 'POST' })
      assert.notEqual(someone.ticket, revoked)
      assert.deepEqual(await visitor(world, revoked).me(), { id: null, user: null, data: {} })
    },
  },
  {
    name: 'the ticket counts as our cookie only: not in the query, a body, or another header',
    async run(world) {
      const { ticket } = await signedIn(world)
      const bearer = { authorization: `Bearer ${ticket ?? ''}` }
      const renamed = { cookie: `coatcheck=${ticket ?? ''}; x__Host-coatcheck=${ticket ?? ''}` }
      for (const headers of [bearer, renamed]) {
        const { body } = await visitor(world).send(`/me?__Host-coatcheck=${ticket ?? ''}`, { headers })
        assert.equal((JSON.parse(body) as { user: unknown }).user, null)
      }
    },
  },
]
