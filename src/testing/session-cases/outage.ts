/** What a process serves with the policy `stale` during an outage: never a session that it has seen end, always its own last write. */
import assert from 'node:assert/strict'
import { systemRandom } from '../../core/random.ts'
import { RedisError } from '../../core/errors.ts'
import { createSeal } from '../../keyring/seal.ts'
import { createPlannedSessions } from '../../session/planned-session.ts'
import type { ConformanceCase, SessionHarness } from '../conformance.ts'
import { fixture, MINUTE, TEST_POLICY } from '../session-fixture.ts'

const outage = new RedisError('COATCHECK_REDIS_UNREACHABLE')
const limit = { max: 1, action: 'end-oldest' } as const

export const outageCases: readonly ConformanceCase<SessionHarness>[] = [
  {
    name: 'during an outage, a process does not serve a session that its own sign-in has ended',
    async run(harness) {
      const { store } = fixture(harness, { policy: { limit, staleForMs: MINUTE } })
      const first = await store.create({ userId: 'ada' })
      await store.find(first.ticket)
      assert.equal((await store.duringOutage(first.ticket, 'stale', outage)).user?.id, 'ada')
      await store.create({ userId: 'ada' })
      await assert.rejects(async () => store.duringOutage(first.ticket, 'stale', outage), outage)
    },
  },
  {
    name: 'during an outage, a process does not serve a session that a move from another library has ended',
    async run(harness) {
      const policy = { limit, staleForMs: MINUTE }
      const { store, keyring, events, memory } = fixture(harness, { policy })
      const { driver, clock } = harness
      const config = { ...TEST_POLICY, ...policy }
      const seal = createSeal(keyring)
      const deps = { driver, clock, keyring, seal, config, namespace: '', random: systemRandom, events, memory }
      const planned = createPlannedSessions(deps)
      const first = await store.create({ userId: 'ada' })
      await store.find(first.ticket)
      await planned.store(planned.plan({ userId: 'ada', data: {}, endsAtMs: null, isExtended: true }))
      await assert.rejects(async () => store.duringOutage(first.ticket, 'stale', outage), outage)
    },
  },
  {
    name: 'during an outage, a process does not serve a session that ended while it was being read',
    async run(harness) {
      const { store } = fixture(harness, { policy: { staleForMs: MINUTE } })
      for (const end of [(id: string) => store.revoke(id), () => store.revokeByUser('ada')]) {
        const { ticket, session } = await store.create({ userId: 'ada' })
        await Promise.all([store.find(ticket), end(session.id ?? '')])
        await assert.rejects(async () => store.duringOutage(ticket, 'stale', outage), outage)
      }
    },
  },
  {
    name: 'during an outage, a process does not serve a session that ended while it was being written',
    async run(harness) {
      for (let turns = 0; turns < 40; turns++) {
        for (const end of ['revoke', 'revokeByUser'] as const) {
          const { store } = fixture<{ a?: number }>(harness, { policy: { staleForMs: MINUTE } })
          const { ticket } = await store.create({ userId: 'ada' })
          const { session } = await store.find(ticket)
          assert.ok(session?.id)
          const written = session.set('a', 1).catch(() => undefined)
          for (let turn = 0; turn < turns; turn++) await Promise.resolve()
          await (end === 'revoke' ? store.revoke(session.id) : store.revokeByUser('ada'))
          await written
          await assert.rejects(
            async () => store.duringOutage(ticket, 'stale', outage),
            outage,
            `${end} after ${turns} turns`,
          )
        }
      }
    },
  },
  {
    name: 'during an outage, no instance of a process serves a session that another instance has ended',
    async run(harness) {
      const policy = { staleForMs: MINUTE }
      const { store: pages, memory } = fixture(harness, { policy })
      const { store: routes } = fixture(harness, { policy, memory })
      for (const end of [(id: string) => routes.revoke(id), () => routes.revokeByUser('ada')]) {
        const { ticket, session } = await pages.create({ userId: 'ada' })
        await pages.find(ticket)
        await end(session.id ?? '')
        await assert.rejects(async () => pages.duringOutage(ticket, 'stale', outage), outage)
      }
    },
  },
  {
    name: 'during an outage, a process serves no ticket that a rotation has replaced',
    async run(harness) {
      const { store } = fixture(harness, { policy: { staleForMs: MINUTE } })
      const { ticket } = await store.create({ userId: 'ada' })
      const rotated = await store.rotate(ticket)
      await store.find(rotated.ticket)
      await harness.advance(20_000)
      await assert.rejects(async () => store.duringOutage(ticket, 'stale', outage), outage)
      assert.equal((await store.duringOutage(rotated.ticket, 'stale', outage)).user?.id, 'ada')
    },
  },
  {
    name: 'during an outage, a process serves what its own last write stored',
    async run(harness) {
      const { store } = fixture<{ count?: number }>(harness, { policy: { staleForMs: MINUTE } })
      const { ticket } = await store.create({ userId: 'ada' })
      const { session } = await store.find(ticket)
      assert.ok(session)
      await session.set('count', 2)
      assert.equal((await store.duringOutage(ticket, 'stale', outage)).get('count'), 2)
    },
  },
]
