import { afterAll, beforeAll, beforeEach, describe, test } from 'vitest'
import { MemorySpace } from '../../src/stores/memory/space.ts'
import { createMemoryTransactionDriver } from '../../src/stores/memory/transaction-driver.ts'
import { createMemoryProviderSessionDriver } from '../../src/stores/memory/provider-session-driver.ts'
import { createRedisProviderSessionDriver } from '../../src/stores/redis/provider-session-driver.ts'
import { createRedisTransactionDriver } from '../../src/stores/redis/transaction-driver.ts'
import { redisKeys } from '../../src/stores/keys.ts'
import { createFakeClock } from '../../src/testing/fake-clock.ts'
import { type ProviderGateHarness, providerGateCases } from '../../src/testing/provider-gate-cases.ts'
import { providerSessionCases } from '../../src/testing/provider-session-cases.ts'
import { revocationCases } from '../../src/testing/revocation-cases.ts'
import { tokenCases } from '../../src/testing/token-cases.ts'
import { tokenDriverCases } from '../../src/testing/token-driver-cases.ts'
import type { TokenHarness, TransactionHarness } from '../../src/testing/token-fixture.ts'
import { transactionCases } from '../../src/testing/transaction-cases.ts'
import { createMemoryRevocationDriver } from '../../src/stores/memory/revocation-driver.ts'
import { createRedisRevocationDriver } from '../../src/stores/redis/revocation-driver.ts'
import { createMemoryTokenDriver } from '../../src/stores/memory/token-driver.ts'
import { createMemoryProviderGateDriver } from '../../src/stores/memory/provider-gate-driver.ts'
import { createRedisProviderGateDriver } from '../../src/stores/redis/provider-gate-driver.ts'
import { createRedisTokenDriver } from '../../src/stores/redis/token-driver.ts'
import { redisForms, type RedisWorld } from '../support/redis-world.ts'

const keys = redisKeys('')

type Tokens = TokenHarness & Required<Pick<TokenHarness, 'gateDriver'>>
const gateOf = ({ gateDriver, advance }: Tokens): ProviderGateHarness => ({ driver: gateDriver, advance })

function memoryHarness(): { tokens: Tokens; transactions: TransactionHarness } {
  const clock = createFakeClock()
  const space = new MemorySpace({ clock })
  const advance = async (ms: number): Promise<void> => {
    clock.advance(ms)
  }
  return {
    tokens: {
      driver: createMemoryTokenDriver(space, keys),
      appDriver: createMemoryTokenDriver(space, { ...keys, tokens: keys.appTokens }),
      gateDriver: createMemoryProviderGateDriver(space, keys),
      clock,
      advance,
      lifeMs: async (userKey) => Promise.resolve(space.ttlMs(keys.tokens(userKey))),
    },
    transactions: { driver: createMemoryTransactionDriver(space, keys), advance },
  }
}

describe('memory', () => {
  for (const { name, run } of [...tokenDriverCases, ...tokenCases]) test(name, () => run(memoryHarness().tokens))
  for (const { name, run } of transactionCases) test(name, () => run(memoryHarness().transactions))
  for (const { name, run } of providerGateCases) test(name, () => run(gateOf(memoryHarness().tokens)))
  for (const { name, run } of providerSessionCases) {
    test(name, () => {
      const clock = createFakeClock()
      const driver = createMemoryProviderSessionDriver(new MemorySpace({ clock }), keys)
      return run({
        driver,
        advance: async (ms) => {
          clock.advance(ms)
          return Promise.resolve()
        },
      })
    })
  }
  for (const { name, run } of revocationCases) {
    test(name, () => {
      const clock = createFakeClock()
      const space = new MemorySpace({ clock })
      return run({
        driver: createMemoryRevocationDriver(space, keys),
        tokens: (tokenRevocations) => createMemoryTokenDriver(space, keys, tokenRevocations),
        advance: async (ms) => {
          clock.advance(ms)
          return Promise.resolve()
        },
      })
    })
  }
})

describe.each(redisForms)('$form', ({ start }) => {
  let world: RedisWorld

  beforeAll(async () => {
    world = await start()
  })
  afterAll(() => world.stop())
  beforeEach(() => world.reset())

  const tokens = (): Tokens => ({
    driver: createRedisTokenDriver(world.client, keys, { timeOffsetMs: () => world.timeOffsetMs(), calmMs: 0 }),
    appDriver: createRedisTokenDriver(
      world.client,
      { ...keys, tokens: keys.appTokens },
      { timeOffsetMs: () => world.timeOffsetMs(), calmMs: 0 },
    ),
    gateDriver: createRedisProviderGateDriver(world.client, keys, { timeOffsetMs: () => world.timeOffsetMs() }),
    clock: world.clock,
    advance: (ms) => world.advance(ms),
    async lifeMs(userKey) {
      const left = Number(await world.cli('pttl', keys.tokens(userKey)))
      return left < 0 ? null : left
    },
  })
  const transactions = (): TransactionHarness => ({
    driver: createRedisTransactionDriver(world.client, keys),
    advance: (ms) => world.advance(ms),
  })

  for (const { name, run } of [...tokenDriverCases, ...tokenCases]) test(name, () => run(tokens()))
  for (const { name, run } of transactionCases) test(name, () => run(transactions()))
  for (const { name, run } of providerGateCases) test(name, () => run(gateOf(tokens())))
  for (const { name, run } of providerSessionCases) {
    test(name, () => {
      const driver = createRedisProviderSessionDriver(world.client, keys, { timeOffsetMs: () => world.timeOffsetMs() })
      return run({ driver, advance: (ms) => world.advance(ms) })
    })
  }
  for (const { name, run } of revocationCases) {
    test(name, () => {
      const timeOffsetMs = (): number => world.timeOffsetMs()
      return run({
        driver: createRedisRevocationDriver(world.client, keys, { timeOffsetMs }),
        tokens: (tokenRevocations) => createRedisTokenDriver(world.client, keys, { timeOffsetMs, tokenRevocations }),
        advance: (ms) => world.advance(ms),
      })
    })
  }
})
