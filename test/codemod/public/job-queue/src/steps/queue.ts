import type { Redis } from 'ioredis'
import { connect } from '../client.js'
import { JobQueue } from '../queue.js'
import { withScripts } from '../scripts.js'
import { allowed, collect, EventWorker, Lock } from '../workers.js'

const NOW_MS = 1_700_000_000_000

export async function runsJobs(redis: Redis) {
  const queue = new JobQueue(redis)
  const added = [await queue.add('1', 'welcome', { to: 'ada' }), await queue.add('1', 'welcome', {}), await queue.add('2', 'bill', [1])]
  const first = await queue.take()
  const active = first && (await queue.complete(first, Buffer.from([0xff, 0x00, 0x41])))
  const second = await queue.take()
  const failed = second && (await queue.fail(second, NOW_MS)).replace(/\d+-\d+/, 'id')
  await redis.del(queue.keys.events)
  return { added, first, active, second, failed, none: await queue.take(), raw: await redis.getBuffer('result:1') }
}

export async function buriesAJob(redis: Redis) {
  const queue = new JobQueue(redis)
  await queue.fail({ id: '9', type: 'bill', payload: null, attempts: 2 }, NOW_MS)
  await redis.del(queue.keys.events)
  return { dead: await redis.sismember('queue:dead', '9'), all: await redis.smembers('queue:dead') }
}

export async function schedules(redis: Redis) {
  withScripts(redis)
  const queue = new JobQueue(redis, 'later')
  for (const at of [3, 1, 2]) await queue.add(`job-${at}`, 'later', at, NOW_MS + at * 1000.5)
  await redis.del(queue.keys.events)
  const upcoming = await queue.upcoming('+inf', 2)
  const taken = await redis.takeDue(queue.keys.delayed, queue.keys.waiting, NOW_MS + 2500, 10)
  return {
    upcoming,
    taken,
    waiting: await redis.lrange(queue.keys.waiting, 0, -1),
    left: await redis.zrange(queue.keys.delayed, 0, -1, 'WITHSCORES'),
    score: await redis.zscore(queue.keys.delayed, 'job-3'),
    none: await redis.zscore(queue.keys.delayed, 'job-1'),
  }
}

export async function cancels(redis: Redis) {
  const queue = new JobQueue(redis, 'cancel')
  const other = connect({ connectionName: 'other' })
  await queue.add('a', 'x', null)
  await queue.add('b', 'x', null)
  const conflict = await queue.cancel('a', () => other.rpush(queue.keys.waiting, 'c'))
  const outcome = { conflict, again: await queue.cancel('a'), missing: await queue.cancel('z') }
  await other.quit()
  await redis.del(queue.keys.events)
  return { ...outcome, waiting: await redis.lrange(queue.keys.waiting, 0, -1), status: other.status }
}

export async function countsInScripts(redis: Redis) {
  withScripts(redis)
  return [await redis.counters(2, 'n', 'm', 5), await redis.counters(1, 'n', -2), await redis.mget('n', 'm', 'none')]
}

export async function handlesEventsOnce(redis: Redis) {
  const worker = new EventWorker(redis, 'events', 'mailers')
  await worker.prepare()
  await worker.prepare()
  await redis.xadd('events', '1-1', 'event', 'added', 'id', 'a')
  await redis.xadd('events', '1-2', 'event', 'done', 'id', 'a')
  const handled = [await worker.handle('one', 1), await worker.handle('two', 10), await worker.handle('one', 10)]
  const pending = await redis.xpending('events', 'mailers')
  const range = await redis.xrange('events', '-', '+')
  const info = (await redis.xinfo('STREAM', 'events')) as unknown[]
  await redis.del('events')
  return { handled, pending, range, length: info[info.indexOf('length') + 1] }
}

export async function locks(redis: Redis) {
  const lock = new Lock(withScripts(redis))
  const outcome = [await lock.acquire('a', 'me', 5000), await lock.acquire('a', 'you', 5000), await lock.release('a', 'you'), await lock.release('a', 'me')]
  const error = await redis.evalsha('0'.repeat(40), 0).catch((reason: Error) => reason.message)
  return { outcome, error, eval: await redis.eval('return { KEYS[1], ARGV[1], 1, false, { 2 } }', 1, 'k', 'v') }
}

export async function limits(redis: Redis) {
  const outcomes = []
  for (let call = 0; call < 3; call++) outcomes.push(await allowed(redis, 'ada', 2))
  await redis.persist('limit:ada')
  return outcomes
}

export async function hearsOtherProcesses(redis: Redis) {
  return collect(redis, ['news', 'alerts'], 3, () =>
    redis.pipeline().publish('news', 'one').publish('job:1', 'done').publish('alerts', JSON.stringify({ a: 1 })).exec(),
  )
}

export async function purges(redis: Redis) {
  await redis.mset(new Map(Array.from({ length: 250 }, (_, at) => [`tmp:${at}`, String(at)])))
  await redis.mset('keep:1', 1, 'keep:2', 2)
  return { removed: await new JobQueue(redis).purge('tmp:*'), left: (await redis.keys('*')).sort() }
}

export async function summarises(redis: Redis) {
  await redis.hmset('stats', { sent: 3, failed: 1 })
  await redis.hincrbyfloat('stats', 'rate', 0.5)
  const pipeline = redis.pipeline()
  for (const field of ['sent', 'failed', 'none']) pipeline.hget('stats', field)
  pipeline.hgetall('stats').hexists('stats', 'sent').hmget('stats', 'sent', 'none').incr('stats')
  const replies = (await pipeline.exec())?.map(([error, value]) => error?.message ?? value)
  const [type, encoding] = [await redis.type('stats'), await redis.object('ENCODING', 'stats')]
  return { replies, type, encoding, info: (await redis.info('server')).includes('redis_version'), exists: await redis.exists('stats', 'none') }
}
