/** Where the index of a user's sessions lies, what it costs, and what is reported when it is lost. */
import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { systemRandom } from '../../src/core/random.ts'
import { redisKeys } from '../../src/stores/keys.ts'
import { createRedisSessionDriver } from '../../src/stores/redis/session-driver.ts'
import type { SessionDriver, SessionRef } from '../../src/session/session-driver.ts'
import { type RedisWorld, singleServers } from '../support/redis-world.ts'

const HOUR_MS = 3_600_000
const LIFE = { ttlMs: HOUR_MS, slackMs: 60_000, absoluteMs: 3 * HOUR_MS }
const ENDING = { reason: 'revoked', ttlMs: HOUR_MS }
const keys = redisKeys('')

const refOf = (userKey: string): SessionRef => ({
  kind: 'user',
  userKey,
  id: randomBytes(16).toString('base64url'),
})
const newRecord = (bytes = 60): Buffer => Buffer.concat([Buffer.alloc(8), randomBytes(bytes - 8)])
const ADA = 'user-key-of-ada0'

describe.each(singleServers)('the index of sessions, $form', ({ start }) => {
  let world: RedisWorld
  let driver: SessionDriver
  beforeAll(async () => {
    world = await start()
    driver = createRedisSessionDriver(world.client, keys, {
      random: systemRandom,
      timeOffsetMs: () => world.timeOffsetMs(),
    })
  })
  beforeEach(() => world.reset())
  afterAll(() => world.stop())

  const create = async (count: number, userKey = ADA): Promise<SessionRef[]> => {
    const refs = Array.from({ length: count }, () => refOf(userKey))
    for (const ref of refs) await driver.create(ref, newRecord(), LIFE)
    return refs
  }
  const hasSet = async (): Promise<boolean> => (await world.cli('exists', keys.sessions(ADA))).trim() === '1'
  const valueBytes = async (): Promise<number> => Number(await world.cli('strlen', keys.generation(ADA)))
  const lifeOf = async (key: string): Promise<number> => Number(await world.cli('pttl', key))

  it('is in the value of the generation up to eight sessions, then a set until hardly any is left', async () => {
    const refs: SessionRef[] = []
    for (let count = 1; count <= 8; count++) {
      refs.push(...(await create(1)))
      expect([count, await valueBytes(), await hasSet()]).toEqual([count, 8 + 35 * count, false])
    }
    refs.push(...(await create(1)))
    expect([await valueBytes(), await hasSet()]).toEqual([9, true])
    expect(await lifeOf(keys.sessions(ADA))).toBeGreaterThan(LIFE.absoluteMs)
    for (const ref of refs.slice(0, 6)) await driver.end(ref, ENDING)
    expect([await valueBytes(), await hasSet()]).toEqual([9, true])
    await create(1)
    expect([await valueBytes(), await hasSet()]).toEqual([8 + 35 * 4, false])
    expect(await driver.list(ADA, 10)).toHaveLength(4)
    expect(await lifeOf(keys.generation(ADA))).toBeGreaterThan(LIFE.absoluteMs)
  })

  it('goes with the last session, also as a set, and leaves the generation', async () => {
    const refs = await create(9)
    for (const ref of refs) await driver.end(ref, ENDING)
    expect([await valueBytes(), await hasSet()]).toEqual([8, false])
    expect(await lifeOf(keys.generation(ADA))).toBeGreaterThan(LIFE.absoluteMs)
    await create(9)
    await driver.endByUser(ADA, ENDING)
    expect([await valueBytes(), await hasSet()]).toEqual([8, false])
    expect(await lifeOf(keys.generation(ADA))).toBeGreaterThan(LIFE.absoluteMs)
  })

  it('keeps its life when a session with a shorter one is written', async () => {
    const [ref] = (await create(1)) as [SessionRef]
    const { record } = await driver.read(ref)
    const shorter = { ttlMs: HOUR_MS, slackMs: 60_000, absoluteMs: HOUR_MS }
    await driver.replace(ref, record!.subarray(13, 25), newRecord(), shorter)
    expect(await lifeOf(keys.generation(ADA))).toBeGreaterThan(LIFE.absoluteMs)
  })

  it('a lost set is distinguished from an ended session, until the user signs in again', async () => {
    const refs = await create(9)
    const [lost, ended] = refs as [SessionRef, SessionRef]
    await driver.end(ended, ENDING)
    await world.cli('del', keys.sessions(ADA))
    expect((await driver.explain(lost)).index).toBe('gone')
    expect(await driver.explain(ended)).toEqual({ ended: 'revoked', generation: 'present', index: 'gone' })
    // They are still valid: the index decides nothing.
    expect((await driver.read(lost)).record).not.toBeNull()
    await driver.end(refs[2] ?? lost, ENDING)
    expect((await driver.explain(lost)).index).toBe('gone')
    expect(await driver.list(ADA, 10)).toEqual([])
    await create(1)
    expect(await driver.list(ADA, 10)).toHaveLength(1)
  })

  it('a set without its generation names nobody, and goes at the next sign-in', async () => {
    await create(9)
    await world.cli('del', keys.generation(ADA))
    expect(await driver.list(ADA, 10)).toEqual([])
    expect((await driver.endByUser(ADA, ENDING)).count).toBe(0)
    expect(await hasSet()).toBe(false)
  })

  describe.each([
    ['few', 3],
    ['many', 12],
  ] as const)('a writer of Redis damages the keys of a user with %s sessions', (_, count) => {
    const damages: [string, (generation: string, set: string) => Promise<string>][] = [
      ['PERSIST of the generation', (generation) => world.cli('persist', generation)],
      [
        'PERSIST of both keys',
        (generation, set) => world.cli('persist', generation).then(() => world.cli('persist', set)),
      ],
      ['APPEND of one byte', (generation) => world.cli('append', generation, 'x')],
      ['APPEND of letters as long as an entry', (generation) => world.cli('append', generation, 'x'.repeat(35))],
      ['SETRANGE in the first entry', (generation) => world.cli('setrange', generation, '30', 'x')],
      ['a set of another type', (_generation, set) => world.cli('set', set, 'x')],
      ['tokens of another type', () => world.cli('set', keys.tokens(ADA), 'x')],
    ]
    const isValid = async (ref: SessionRef): Promise<boolean> => {
      const { record, generation } = await driver.read(ref)
      return record !== null && generation?.equals(record.subarray(0, 8)) === true
    }
    const valid = async (refs: readonly SessionRef[]): Promise<boolean[]> => Promise.all(refs.map(isValid))
    const none = Array.from({ length: count }, () => false)

    it.each(damages)('%s: all sessions can be ended at once, and the next ones are listed', async (_name, damage) => {
      const refs = await create(count)
      await damage(keys.generation(ADA), keys.sessions(ADA))
      expect(await valid(refs)).toEqual(none.map(() => true))
      await driver.endByUser(ADA, ENDING)
      expect(await valid(refs)).toEqual(none)
      const later = await create(count)
      expect(await driver.list(ADA, 100)).toHaveLength(count)
      expect(await lifeOf(keys.generation(ADA))).toBeGreaterThan(LIFE.absoluteMs)
      expect((await driver.endByUser(ADA, ENDING)).count).toBe(count)
      expect(await valid(later)).toEqual(none)
    })

    it.each(damages)('%s: each session can be ended alone, and one can stay', async (_name, damage) => {
      const [first, stays, ...others] = (await create(count)) as [SessionRef, SessionRef, ...SessionRef[]]
      await damage(keys.generation(ADA), keys.sessions(ADA))
      expect(await driver.end(first, ENDING)).toMatchObject({ status: 'done', count: 1 })
      await driver.endByUser(ADA, ENDING, stays.id)
      expect(await valid([first, stays, ...others])).toEqual([false, true, ...others.map(() => false)])
      expect((await driver.list(ADA, 100)).map(({ id }) => id)).toEqual([stays.id])
      expect(await driver.end(stays, ENDING)).toMatchObject({ count: 1, lastOfUser: true })
    })

    it.each(damages)('%s: sessions go on, and the next sign-in repairs it', async (_name, damage) => {
      const [first] = (await create(count)) as [SessionRef]
      await damage(keys.generation(ADA), keys.sessions(ADA))
      const { record } = await driver.read(first)
      expect(await driver.replace(first, record!.subarray(13, 25), newRecord(), LIFE)).toEqual({ status: 'done' })
      const [later] = (await create(1)) as [SessionRef]
      expect(await valid([first, later])).toEqual([true, true])
      const ids = (await driver.list(ADA, 100)).map(({ id }) => id)
      expect(ids).toEqual(expect.arrayContaining([first.id, later.id]))
      const value = await world.cli('getrange', keys.generation(ADA), '8', '-1')
      expect(value.trim()).toMatch(/^(\+|([\w-]{22}\d{13})+)$/)
    })
  })

  it('a generation that is cut short signs the user out, and the next sign-in draws a new one', async () => {
    await create(3)
    await world.cli('set', keys.generation(ADA), 'x')
    expect(await driver.list(ADA, 100)).toEqual([])
    expect(await driver.endByUser(ADA, ENDING)).toMatchObject({ count: 0 })
    const [later] = (await create(1)) as [SessionRef]
    expect((await driver.list(ADA, 100)).map(({ id }) => id)).toEqual([later.id])
    expect(await valueBytes()).toBe(8 + 35)
  })

  it('is whole in every list while it changes its place', async () => {
    const [stays] = (await create(1)) as [SessionRef]
    let isOver = false
    const changing = (async () => {
      for (let round = 0; round < 40; round++) {
        await create(9)
        await driver.endByUser(ADA, ENDING, stays.id)
      }
      isOver = true
    })()
    let lists = 0
    let without = 0
    while (!isOver) {
      const ids = await driver.list(ADA, 100).then((rows) => rows.map(({ id }) => id))
      lists++
      if (!ids.includes(stays.id)) without++
    }
    await changing
    expect(lists).toBeGreaterThan(20)
    expect(without).toBe(0)
  })

  it('costs less than a key: 10,000 sessions of 0.5 KB stay under 1,034 bytes each, all included', async () => {
    const SESSIONS = 10_000
    const used = async (): Promise<number> => Number(/used_memory:(\d+)/.exec(await world.cli('info', 'memory'))?.[1])
    await create(1)
    const before = await used()
    for (let i = 0; i < SESSIONS; i += 100) {
      const some = Array.from({ length: 100 }, () => refOf(randomBytes(12).toString('base64url')))
      // 512 bytes of JSON and what is sealed with them.
      await Promise.all(some.map((ref) => driver.create(ref, newRecord(623), LIFE)))
    }
    expect(((await used()) - before) / SESSIONS).toBeLessThan(1034)
  })
})
