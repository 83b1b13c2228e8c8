/** HTTP scenarios about failed stores: deadlines of answers, policies of routes, and writes that fail in the background. */
import assert from 'node:assert/strict'
import type { ConformanceCase } from '../conformance.ts'
import { heard, type HttpWorld, signedIn, visitor } from './visitor.ts'

const ANSWER_WITHIN_MS = 400

export const outageScenarios: readonly ConformanceCase<HttpWorld>[] = [
  {
    name: 'a store that is down: 503 with Retry-After in time, the cookie is kept, and the session is there afterwards',
    async run(world) {
      const someone = await signedIn(world)
      await world.breakStore()
      try {
        for (const target of ['/me', '/private', '/auth/session']) {
          const started = performance.now()
          const { status, headers, setCookies } = await someone.send(target)
          assert.equal(status, 503, target)
          assert.equal(headers.get('retry-after'), '1')
          assert.deepEqual(setCookies, [])
          const tookMs = performance.now() - started
          assert.ok(tookMs < (world.answerWithinMs ?? ANSWER_WITHIN_MS), `${target} took ${tookMs} ms`)
        }
        assert.equal((await someone.send('/free')).status, 200)
        assert.equal((await visitor(world).me()).user, null)
      } finally {
        await world.mendStore()
      }
      assert.equal((await someone.me()).user?.id, someone.userId)
    },
  },
  {
    name: 'during an outage of the store, the policy of a route decides: the recently verified user, or none; read-only, and no cookie changes',
    async run(world) {
      const someone = await signedIn(world)
      await someone.send('/set?key=cart&value=1', { method: 'POST' })
      await someone.me()
      const unknown = await world.auth.sessions.create({ userId: 'never-seen-by-this-process' })
      await world.breakStore()
      try {
        const stale = await someone.send('/me-by-policy?policy=stale')
        assert.equal(stale.status, 200, stale.body)
        const seen = JSON.parse(stale.body) as { user: { id: string }; data: object; outage: string }
        assert.equal(seen.user.id, someone.userId)
        assert.deepEqual(seen.data, { cart: '1' })
        assert.equal(seen.outage, 'stale')
        const anonymous = await someone.send('/me-by-policy?policy=anonymous')
        assert.deepEqual(JSON.parse(anonymous.body), { id: null, user: null, data: {}, outage: 'anonymous' })
        const first = await visitor(world, unknown.ticket).send('/me-by-policy?policy=stale')
        const failing = await someone.send('/me-by-policy?policy=fail')
        for (const answer of [first, failing]) assert.equal(answer.status, 503)
        for (const policy of ['stale', 'anonymous']) {
          const write = await someone.send(`/set-by-policy?policy=${policy}`, { method: 'POST' })
          assert.equal(write.status, 503)
          assert.deepEqual(write.setCookies, [])
        }
        assert.deepEqual([...stale.setCookies, ...anonymous.setCookies], [])
        assert.equal(stale.headers.get('cache-control'), 'private, no-store')
        const forged = await visitor(world, `${someone.ticket?.slice(0, -2) ?? ''}AA`).send(
          '/me-by-policy?policy=stale',
        )
        assert.equal((JSON.parse(forged.body) as { user: unknown }).user, null)
      } finally {
        await world.mendStore()
      }
      assert.deepEqual((await someone.me()).data, { cart: '1' })
      await someone.send('/sign-out', { method: 'POST' })
    },
  },
  {
    name: 'during an outage of the store, a user whom this process signed out is signed out under every policy',
    async run(world) {
      const someone = await signedIn(world)
      const { id } = await someone.me()
      const ticket = someone.ticket
      await world.auth.sessions.revoke(id ?? '')
      await world.breakStore()
      try {
        const { status } = await visitor(world, ticket).send('/me-by-policy?policy=stale')
        assert.equal(status, 503)
      } finally {
        await world.mendStore()
      }
    },
  },
  {
    name: 'a write that was not awaited: it is kept where it can be, else reported as such, and the process goes on',
    async run(world) {
      const forget = { method: 'POST' }
      const newcomer = visitor(world)
      const tooLate = heard(world, 'session.write-unawaited')
      const { status, setCookies } = await newcomer.send('/set-and-forget', forget)
      assert.deepEqual([status, setCookies], [200, []])
      assert.deepEqual(await tooLate, { operation: 'session.set', code: 'COATCHECK_HEADERS_SENT' })
      const someone = await signedIn(world)
      const kept = heard(world, 'session.updated')
      assert.equal((await someone.send('/set-and-forget', forget)).status, 200)
      await kept
      assert.deepEqual((await someone.me()).data, { late: 1 })
      await world.breakStore()
      try {
        const failed = heard(world, 'session.write-unawaited')
        assert.equal((await someone.send('/set-and-forget', forget)).status, 200)
        const { operation, code } = await failed
        assert.equal(operation, 'session.set')
        assert.match(code, /^COATCHECK_REDIS_/)
      } finally {
        await world.mendStore()
      }
      assert.equal((await someone.me()).user?.id, someone.userId)
    },
  },
]
