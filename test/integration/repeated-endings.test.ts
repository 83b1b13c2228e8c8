/**
 * Revocations whose reply is lost. The journal repeats the same script, and a sign-in of the same user may come in between: through
 * another process, which knows nothing of the journal.
 */
import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { RedisError } from '../../src/core/errors.ts'
import { GENERATION_BYTES, NONCE_AT, NONCE_BYTES } from '../../src/keyring/record-layout.ts'
import { EventBus } from '../../src/core/events.ts'
import { systemRandom } from '../../src/core/random.ts'
import type { RedisClientPort } from '../../src/redis/client-port.ts'
import { RevocationRetries } from '../../src/stores/redis/revocation-retries.ts'
import { redisKeys } from '../../src/stores/keys.ts'
import { createRedisSessionDriver } from '../../src/stores/redis/session-driver.ts'
import type { SessionDriver, SessionRef } from '../../src/session/session-driver.ts'
import { createFakeClock } from '../../src/testing/fake-clock.ts'
import type { TokenRevocations } from '../../src/token/revocation-driver.ts'
import { redisForms, type RedisWorld } from '../support/redis-world.ts'
import { until } from '../support/redis-topologies.ts'

const HOUR_MS = 3_600_000
const LIFE = { ttlMs: HOUR_MS, slackMs: 60_000, absoluteMs: 3 * HOUR_MS }
const ENDING = { reason: 'revoked', ttlMs: HOUR_MS }
const ADA = 'user-key-of-ada0'
const ENDINGS: TokenRevocations = { providers: ['idp'], announce: () => undefined, moved: () => undefined }
const keys = redisKeys('')

const newRef = (): SessionRef => ({ kind: 'user', userKey: ADA, id: randomBytes(16).toString('base64url') })
const newRecord = (): Buffer => Buffer.concat([Buffer.alloc(8), randomBytes(60)])

const forms = redisForms.filter(({ form }) => ['one server, redis 6', 'a cluster'].includes(form))

describe.each(forms)('a revocation whose reply is lost, on $form', ({ start }) => {
  let world: RedisWorld
  /** Loses the replies of its next `lost` revocations, and journals them. */
  let here: SessionDriver
  let retries: RevocationRetries
  let lost: number
  /** What the next revocations wait for after Redis has done them, in order. */
  let pauses: Promise<void>[]
  /** Whether Redis gets the revocations whose replies are lost. */
  let arrives: boolean
  let answered: number
  let server: { isDurable: boolean; durable: boolean }
  let there: SessionDriver
  beforeAll(async () => {
    world = await start()
  })
  beforeEach(async () => {
    await world.reset()
    lost = 1
    pauses = []
    answered = 0
    arrives = true
    server = { isDurable: false, durable: false }
    const { client } = world
    const deaf = new Proxy(client, {
      get(target, name) {
        if (name === 'lasting') return lasting
        if (name === 'isDurable') return server.isDurable
        const value: unknown = Reflect.get(target, name, target)
        return typeof value === 'function' ? (value.bind(target) as unknown) : value
      },
    })
    const lasting: RedisClientPort['lasting'] = async (...args) => {
      const pause = pauses.shift()
      const isLost = lost-- > 0
      if (isLost && !arrives) throw new RedisError('COATCHECK_REDIS_TIMEOUT')
      const answer = await client.lasting(...args)
      answered++
      await pause
      if (isLost) throw new RedisError('COATCHECK_REDIS_TIMEOUT')
      return { ...answer, durable: server.durable }
    }
    // Time stands still: only `again()` makes an entry due.
    retries = new RevocationRetries(() => deaf, { clock: createFakeClock(), events: new EventBus() })
    here = createRedisSessionDriver(deaf, keys, { random: systemRandom, tokenRevocations: ENDINGS, retries })
    there = createRedisSessionDriver(client, keys, { random: systemRandom, tokenRevocations: ENDINGS })
  })
  afterAll(() => world.stop())

  const create = async (count: number): Promise<SessionRef[]> => {
    const refs = Array.from({ length: count }, newRef)
    for (const ref of refs) await there.create(ref, newRecord(), LIFE)
    return refs
  }
  const putTokens = (): Promise<string> => world.cli('hset', keys.tokens(ADA), 'grant:idp', `sealed${'0'.repeat(40)}`)
  const state = async (): Promise<unknown> => ({
    generation: await world.cli('get', keys.generation(ADA)),
    set: await world.cli('zrange', keys.sessions(ADA), '0', '-1', 'withscores'),
    tokens: await world.cli('hgetall', keys.tokens(ADA)),
    outbox: await world.cli('hgetall', keys.revocations(ADA)),
    listed: (await there.list(ADA, 100)).map(({ id }) => id),
  })
  /** The repetition is not acknowledged either, so its entry stays. */
  const repeatedInVain = async (): Promise<void> => {
    const before = answered
    retries.again()
    await until(() => Promise.resolve(answered > before))
    expect(retries.size).toBe(1)
  }
  const repeated = async (): Promise<void> => {
    expect(retries.size).toBe(1)
    retries.again()
    await until(async () => retries.size === 0)
  }

  it('an end of the session alone does not make up for one that takes tokens', async () => {
    const [ref] = (await create(1)) as [SessionRef]
    // Ended from elsewhere, while its sign-in stored tokens.
    await there.end(ref, ENDING)
    await putTokens()
    arrives = false
    const givingUp = { ...ENDING, existed: true, takesTokens: true }
    await expect(here.end(ref, givingUp)).rejects.toMatchObject({ code: 'COATCHECK_REDIS_TIMEOUT' })
    await here.end(ref, { ...ENDING, existed: true })
    await repeated()
    expect(await world.cli('hgetall', keys.tokens(ADA))).toBe('')
  })

  it.each([1, 12])('a repeated ending of all sessions changes nothing of %i later sign-ins', async (count) => {
    await create(2)
    await expect(here.endByUser(ADA, ENDING)).rejects.toMatchObject({ code: 'COATCHECK_REDIS_TIMEOUT' })
    const later = await create(count)
    await putTokens()
    const before = await state()
    await repeated()
    expect(await state()).toEqual(before)
    expect((await there.list(ADA, 100)).map(({ id }) => id).sort()).toEqual(later.map(({ id }) => id).sort())
    expect((await world.cli('exists', keys.tokens(ADA))).trim()).toBe('1')
  })

  it('a repeated ending of all sessions but one changes nothing of a later sign-in', async () => {
    const [stays] = (await create(3)) as [SessionRef]
    await expect(here.endByUser(ADA, ENDING, stays.id)).rejects.toMatchObject({ code: 'COATCHECK_REDIS_TIMEOUT' })
    await there.end(stays, ENDING)
    const [later] = (await create(1)) as [SessionRef]
    await putTokens()
    const before = await state()
    await repeated()
    expect(await state()).toEqual(before)
    expect((await there.list(ADA, 100)).map(({ id }) => id)).toEqual([later.id])
  })

  it('an ending that succeeds when the caller repeats it leaves nothing for the journal to repeat', async () => {
    await create(2)
    await expect(here.endByUser(ADA, ENDING)).rejects.toMatchObject({ code: 'COATCHECK_REDIS_TIMEOUT' })
    expect(await here.endByUser(ADA, ENDING)).toEqual({ count: 0, durable: false })
    expect(retries.size).toBe(0)
    const [later] = (await create(1)) as [SessionRef]
    retries.again()
    expect((await there.list(ADA, 100)).map(({ id }) => id)).toEqual([later.id])
    expect((await here.read(later)).record).not.toBeNull()
  })

  it.each([
    ['a sign-in', (ref: SessionRef, nonce: Buffer) => here.endUnchanged(ref, nonce, ENDING)],
    ['the limit', () => here.create(newRef(), newRecord(), LIFE, { max: 1, action: 'end-oldest' })],
    ['a sign-out', (ref: SessionRef) => here.end(ref, { ...ENDING, existed: true })],
  ])('a session that ended by %s is ended again after an older state of Redis is back', async (_by, end) => {
    lost = 0
    const [ref, record] = [newRef(), newRecord()]
    await there.create(ref, record, LIFE)
    const nonceAt = GENERATION_BYTES + NONCE_AT
    await end(ref, record.subarray(nonceAt, nonceAt + NONCE_BYTES))
    expect((await there.read(ref)).record).toBeNull()
    await world.reset()
    await there.create(ref, record, LIFE)
    expect((await there.read(ref)).record).not.toBeNull()
    // At once in this process, and in Redis after the check.
    expect((await here.read(ref)).record).toBeNull()
    expect(await here.explain(ref)).toMatchObject({ ended: 'revoked' })
    retries.again()
    await until(async () => (await there.read(ref)).record === null)
  })

  it.each([
    { means: 'without durability', isDurable: false, durable: false },
    { means: 'with an acknowledgement', isDurable: true, durable: true },
    { means: 'without an acknowledgement', isDurable: true, durable: false },
  ])('an earlier ending whose reply comes last leaves the later one to be repeated, $means', async (said) => {
    server = said
    await create(1)
    let answer = (): void => undefined
    pauses.push(new Promise((resolve) => (answer = resolve)))
    lost = 0
    const earlier = here.endByUser(ADA, ENDING)
    await until(async () => (await there.list(ADA, 100)).length === 0)
    const [between] = (await create(1)) as [SessionRef]
    lost = 1
    arrives = false
    await expect(here.endByUser(ADA, ENDING)).rejects.toMatchObject({ code: 'COATCHECK_REDIS_TIMEOUT' })
    answer()
    await earlier
    expect((await here.read(between)).record).toBeNull()
    server.durable = true
    retries.again()
    await until(async () => retries.size === 0)
    expect(await there.list(ADA, 100)).toEqual([])
  })

  it('an ending that no replica has acknowledged is repeated also when the index names no session', async () => {
    server = { isDurable: true, durable: false }
    lost = 0
    const [ended] = (await create(1)) as [SessionRef]
    await there.end(ended, ENDING)
    expect(await here.endByUser(ADA, ENDING)).toEqual({ count: 0, durable: false })
    expect(retries.size).toBe(1)
    // On the same server, a repetition changes nothing of a later sign-in.
    const [later] = (await create(1)) as [SessionRef]
    await repeatedInVain()
    expect((await there.list(ADA, 100)).map(({ id }) => id)).toEqual([later.id])
    // A replica is promoted that has heard of the session only.
    await world.loseEverything()
    await create(1)
    server.durable = true
    await repeated()
    expect(await there.list(ADA, 100)).toEqual([])
  })

  it('an ending of a user who never signed in leaves nothing to repeat', async () => {
    server = { isDurable: true, durable: false }
    lost = 0
    expect(await here.endByUser(ADA, ENDING)).toEqual({ count: 0, durable: false })
    expect(retries.size).toBe(0)
  })

  it('a repeated ending of one session changes nothing of a later sign-in', async () => {
    const [ended] = (await create(1)) as [SessionRef]
    await expect(here.end(ended, ENDING)).rejects.toMatchObject({ code: 'COATCHECK_REDIS_TIMEOUT' })
    await create(1)
    await putTokens()
    const before = await state()
    await repeated()
    expect(await state()).toEqual(before)
  })

  it('a repeated ending ends the sessions when Redis has forgotten the first one', async () => {
    await create(2)
    const generation = await world.cli('getrange', keys.generation(ADA), '0', '7')
    await expect(here.endByUser(ADA, ENDING)).rejects.toMatchObject({ code: 'COATCHECK_REDIS_TIMEOUT' })
    expect(await world.cli('getrange', keys.generation(ADA), '0', '7')).not.toBe(generation)
    // A replica is promoted that has not heard of the revocation.
    await world.loseEverything()
    await create(2)
    await putTokens()
    await repeated()
    expect(await there.list(ADA, 100)).toEqual([])
    expect((await world.cli('exists', keys.tokens(ADA))).trim()).toBe('0')
  })
})
