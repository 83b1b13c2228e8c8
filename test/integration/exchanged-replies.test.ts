/**
 * Two commands receive each other's replies, and the connection is aligned afterwards. Such a reply can look like a missing session, or like
 * a conflict whose record is that of another session. The Redis driver reads again, or sends the same step again. This test exchanges the
 * replies behind the client port. `misaligned-replies.test.ts` loses them in a proxy.
 */
import assert from 'node:assert/strict'
import { afterAll, beforeAll, beforeEach, test } from 'vitest'
import { RedisError } from '../../src/core/errors.ts'
import { systemRandom } from '../../src/core/random.ts'
import type { RedisClientPort, RedisReply } from '../../src/redis/client-port.ts'
import type { RedisScript } from '../../src/redis/script.ts'
import { redisKeys } from '../../src/stores/keys.ts'
import { createRedisSessionDriver } from '../../src/stores/redis/session-driver.ts'
import { END, REPLACE } from '../../src/stores/redis/scripts/session.ts'
import { codeOf, type Fixture, fixture } from '../../src/testing/session-fixture.ts'
import { redisForms, type RedisWorld } from '../support/redis-world.ts'

/** What happens to the next reply of the script: the server executes the command, or never receives it. */
interface Swap {
  readonly script: RedisScript
  readonly reply: RedisReply
  readonly isExecuted: boolean
  /** Another request at that moment. */
  readonly meanwhile?: () => Promise<void>
}

const keys = redisKeys('')
let world: RedisWorld
let swap: Swap | null
let readSwap: RedisReply | undefined
let isAligned: boolean
let store: Fixture<Record<string, unknown>>['store']

beforeAll(async () => {
  const [form] = redisForms
  assert.ok(form)
  world = await form.start()
})
afterAll(() => world.stop())
beforeEach(async () => {
  await world.reset()
  swap = null
  readSwap = undefined
  isAligned = true
  const driver = createRedisSessionDriver(swapping(world.client), keys, { random: systemRandom })
  store = fixture(
    {
      driver,
      clock: world.clock,
      advance: (ms) => world.advance(ms),
      loseEverything: () => world.loseEverything(),
      hasTokens: () => Promise.resolve(false),
      putTokens: () => Promise.resolve(),
    },
    { driver },
  ).store
})

/** Two commands get each other's replies: the connection is aligned afterwards, and nothing else shows it. */
function swapping(client: RedisClientPort): RedisClientPort {
  const script: RedisClientPort['script'] = async (asked, names, args, options) => {
    if (swap?.script !== asked) return client.script(asked, names, args, options)
    const { reply, isExecuted, meanwhile } = swap
    swap = null
    await meanwhile?.()
    if (isExecuted) await client.script(asked, names, args, options)
    return reply
  }
  const command: RedisClientPort['command'] = async (key, args, options) => {
    const reply = await client.command(key, args, options)
    if (args[0] !== 'MGET' || readSwap === undefined) return reply
    const other = readSwap
    readSwap = undefined
    return other
  }
  const verifyAlignment = (): Promise<void> =>
    isAligned ? Promise.resolve() : Promise.reject(new RedisError('COATCHECK_REDIS_MISALIGNED_REPLIES'))
  return new Proxy(client, {
    get: (target, name) => {
      if (name === 'script') return script
      if (name === 'command') return command
      if (name === 'verifyAlignment') return verifyAlignment
      const value: unknown = Reflect.get(target, name)
      return typeof value === 'function' ? (value as () => unknown).bind(target) : value
    },
  })
}

/** A conflict whose record is that of another user's session. */
async function foreignConflict(): Promise<RedisReply> {
  const { session } = await store.create({ userId: 'grace' })
  const [userKey = '', id = ''] = (session.id ?? '').split('.')
  const key = keys.session(userKey, id)
  const record = await world.client.command(key, ['GET', key])
  assert.ok(Buffer.isBuffer(record))
  return [Buffer.from('conflict'), record]
}

test.each([
  ['before the server executes it', false],
  ['after the server executed it', true],
])('an update whose reply is exchanged %s is applied once', async (_when, isExecuted) => {
  const { session, ticket } = await store.create({ userId: 'ada', data: { count: 0 } })
  const reply = await foreignConflict()
  for (let i = 0; i < 2; i++) {
    swap = { script: REPLACE, reply, isExecuted }
    await session.update((draft) => void (draft['count'] = Number(draft['count']) + 1))
    assert.equal(swap, null, 'the reply was exchanged')
  }
  assert.equal((await store.find(ticket)).session?.get('count'), 2)
})

test('a sign-in whose end of the previous session receives an exchanged reply keeps a change of that moment', async () => {
  const before = await store.create({ userId: 'ada', data: { count: 2 } })
  const meanwhile = (): Promise<void> => before.session.set('count', 3)
  swap = { script: END, reply: await foreignConflict(), isExecuted: false, meanwhile }
  const after = await store.signIn(before.ticket, { userId: 'ada', carry: ['count'] })
  assert.equal(swap, null, 'the reply was exchanged')
  assert.equal((await store.find(after.ticket)).session?.get('count'), 3)
  assert.equal((await store.find(before.ticket)).session, null)
})

test('a read whose reply is exchanged for that of a missing session, or of another user, finds the session', async () => {
  const { ticket } = await store.create({ userId: 'ada', data: { count: 1 } })
  const [, foreign] = (await foreignConflict()) as readonly RedisReply[]
  for (const reply of [
    [null, null],
    [foreign, Buffer.alloc(8)],
  ] as RedisReply[]) {
    readSwap = reply
    assert.equal((await store.find(ticket)).session?.get('count'), 1)
    assert.equal(readSwap, undefined, 'the reply was exchanged')
  }
})

test('while replies stay misaligned, an update is an outage, and the session stays', async () => {
  const { session, ticket } = await store.create({ userId: 'ada' })
  swap = { script: REPLACE, reply: await foreignConflict(), isExecuted: false }
  isAligned = false
  assert.equal(await codeOf(session.set('a', 1)), 'COATCHECK_REDIS_MISALIGNED_REPLIES')
  isAligned = true
  assert.notEqual((await store.find(ticket)).session, null)
})
