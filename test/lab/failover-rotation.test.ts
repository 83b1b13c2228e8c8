/** Refresh tokens rotate while Redis fails over, at a provider that ends a sign-in when it sees an old one: F23 of docs/faults.md. */
import { afterEach, expect, test } from 'vitest'
import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { coatcheck, oidc } from '../../src/entries/coatcheck.ts'
import { redisStore } from '../../src/stores/redis/redis-store.ts'
import { startReplicatedPair } from '../support/replicated-pair.ts'
import { startTokenEndpoint } from '../support/token-endpoint.ts'
import { isLab, observed } from './report.ts'

const ROUNDS = isLab ? 20 : 2
const USERS = 10

const closing: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

const rows = [
  { id: 'F23.rotation', says: 'the primary dies', durability: undefined, isDead: () => true },
  {
    id: 'F23.durable',
    says: 'the primary dies, or goes on for a moment on its own, with durability',
    durability: { replicas: 1, timeoutMs: 100 },
    isDead: (round: number) => round % 2 === 0,
  },
] as const

test.each(rows)(
  `${ROUNDS} failovers in the middle of rotations, $says: no sign-in is lost`,
  { timeout: 120_000 + ROUNDS * 20_000 },
  async ({ id, durability, isDead }) => {
    const provider = await startTokenEndpoint('strict')
    closing.push(() => provider.close())
    const pair = await startReplicatedPair()
    closing.push(() => pair.stop())
    const auth = coatcheck({
      store: redisStore({ url: pair.url, ...(durability && { durability }) }),
      keys: randomBytes(32).toString('base64'),
      baseUrl: 'http://localhost:3000',
      providers: [oidc({ name: 'idp', issuer: provider.issuer, clientId: 'app', clientSecret: 'secret' })],
    })
    closing.push(() => auth.close())
    await auth.ready()
    const users = Array.from({ length: USERS }, (_, i) => `user-${i}`)
    for (const user of users) {
      await auth.tokens.setUserTokens(user, {
        accessToken: 'old',
        refreshToken: provider.grant(user),
        expiresAt: Date.now() + 60_000,
      })
    }
    let refreshes = 0
    let kept = 0
    let restored = 0
    auth.events.on('token.grant-kept', () => kept++)
    auth.events.on('token.grant-restored', () => restored++)
    for (let round = 0; round < ROUNDS; round++) {
      await pair.replicasCaughtUp()
      // Each asks for a resource of this round, so each rotates its grant once; the failover comes before, during or after.
      provider.delayMs = 20
      const resource = `https://api-${round}.example`
      const before = provider.requests.length
      const asked = users.map(async (user, i) => {
        await sleep(i * 5)
        for (let attempt = 0; ; attempt++) {
          try {
            return await auth.tokens.getAccessToken(user, { resource })
          } catch (error) {
            const { code = '' } = error as { code?: string }
            // Redis is away for a moment, and after that nobody takes a lease over at once.
            if (!/^COATCHECK_REDIS_|_UNAVAILABLE$/.test(code) || attempt > 200) throw error
            await sleep(50)
          }
        }
      })
      await sleep((round % 10) * 7)
      if (isDead(round)) await pair.failOver()
      else await pair.promote()
      const tokens = await Promise.all(asked)
      expect(new Set(tokens.map(({ accessToken }) => accessToken)).size).toBe(USERS)
      refreshes += provider.requests.length - before
      expect(users.filter((user) => !provider.isAlive(user))).toEqual([])
      await pair.heal()
    }
    expect(provider.requests.filter(({ answered }) => answered === 'refused')).toEqual([])
    observed(
      id,
      `${ROUNDS} failovers, ${refreshes} rotations, ${kept} of them kept in the process until Redis was back${durability ? `, ${restored} stored again` : ''}: 0 sign-ins lost`,
    )
  },
)
