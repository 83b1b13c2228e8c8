/** Reads that are asked for together: each gets its own, in few commands, and what fails the command fails them alike. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { RedisReply } from '../../src/redis/client-port.ts'
import { redisKeys } from '../../src/stores/keys.ts'
import { RedisReads } from '../../src/stores/redis/session-reads.ts'
import type { SessionRef } from '../../src/session/session-driver.ts'
import { type RedisWorld, singleServers } from '../support/redis-world.ts'

const keys = redisKeys('')
/** Eight bytes, as a generation has. */
const generationOf = (i: number): string => `gen ${String(i).padStart(4, '0')}`
const refOf = (i: number): SessionRef => ({
  kind: i % 3 === 0 ? 'anonymous' : 'user',
  userKey: `user-${String(i).padStart(11, '0')}`,
  id: `session-${String(i).padStart(14, '0')}`,
})

describe.each(singleServers)('session reads, $form', ({ start }) => {
  let world: RedisWorld
  beforeAll(async () => {
    world = await start()
  })
  beforeEach(async () => {
    await world.reset()
  })
  afterAll(() => world.stop())

  const calls = async (command: string): Promise<number> =>
    Number(new RegExp(`cmdstat_${command}:calls=(\\d+)`).exec(await world.cli('info', 'commandstats'))?.[1] ?? 0)

  it('answers a hundred at once with what belongs to each, in four commands', async () => {
    for (let i = 0; i < 100; i++) {
      const { kind, userKey, id } = refOf(i)
      if (i % 7 !== 0) await world.client.command('k', ['SET', keys.session(userKey, id), `record ${i}`])
      if (kind === 'user')
        await world.client.command('k', ['SET', keys.generation(userKey), `${generationOf(i)} and an index`])
    }
    await world.cli('config', 'resetstat')
    const reads = new RedisReads(world.client, keys)
    const found = await Promise.all(Array.from({ length: 100 }, (_, i) => reads.read(refOf(i))))
    expect(found.map(({ record, generation }) => [record?.toString() ?? null, generation?.toString() ?? null])).toEqual(
      Array.from({ length: 100 }, (_, i) => [
        i % 7 !== 0 ? `record ${i}` : null,
        refOf(i).kind === 'user' ? generationOf(i) : null,
      ]),
    )
    expect(await calls('mget')).toBe(4)
    expect(await calls('get')).toBe(0)
  })

  it('is one command for one read, also one after the other', async () => {
    const reads = new RedisReads(world.client, keys)
    await world.cli('config', 'resetstat')
    expect(await reads.read(refOf(0))).toEqual({ record: null, generation: null })
    expect(await reads.read(refOf(1))).toEqual({ record: null, generation: null })
    expect(await reads.read(refOf(2))).toEqual({ record: null, generation: null })
    expect([await calls('get'), await calls('mget')]).toEqual([1, 2])
  })

  it('asks again, in a new command, for what is read while an answer is under way', async () => {
    const reads = new RedisReads(world.client, keys)
    const { userKey, id } = refOf(1)
    const before = reads.read(refOf(1))
    await new Promise(setImmediate)
    await world.client.command('k', ['SET', keys.session(userKey, id), 'new'])
    const after = reads.read(refOf(1))
    expect((await before).record).toBeNull()
    expect((await after).record?.toString()).toBe('new')
  })

  it('fails all of them with the code of the answer, and works again afterwards', async () => {
    const reads = new RedisReads(world.client, keys)
    await world.cli('acl', 'setuser', 'default', '-mget', '-get')
    const results = await Promise.allSettled([0, 1, 2].map((i) => reads.read(refOf(i))))
    await world.cli('acl', 'setuser', 'default', '+mget', '+get')
    expect(results.map((result) => result.status === 'rejected' && (result.reason as { code: string }).code)).toEqual(
      Array.from({ length: 3 }, () => 'COATCHECK_REDIS_NOPERM'),
    )
    expect(await reads.read(refOf(1))).toEqual({ record: null, generation: null })
  })

  it('an answer that is none to the question is an error, and no missing session', async () => {
    for (const answer of [7, Buffer.from('OK'), [], [Buffer.from('record'), 3], [['record'], null]]) {
      const client = { ...world.client, isSharded: false, command: async () => Promise.resolve(answer as RedisReply) }
      const reads = new RedisReads(client, keys)
      await expect(reads.read(refOf(1))).rejects.toMatchObject({ code: 'COATCHECK_REDIS_MISALIGNED_REPLIES' })
    }
  })
})
