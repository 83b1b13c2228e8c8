import type { Redis } from 'ioredis'

export async function pushesAndPops(redis: Redis) {
  const length = await redis.lpush('queue', 'a', 'b', 'c')
  const right = await redis.rpush('queue', ...['d', 'e'])
  return { length, right, left: await redis.lpop('queue'), last: await redis.rpop('queue') }
}

export async function pushesAnArray(redis: Redis) {
  const jobs = ['a', 'b']
  return [await redis.rpush('queue', ...jobs, 'c'), await redis.llen('queue')]
}

export async function pushesToExistingOnly(redis: Redis) {
  return [await redis.lpushx('none', 'a'), await redis.rpushx('none', 'a', 'b')]
}

export async function popsFromNothing(redis: Redis) {
  return [await redis.lpop('none'), await redis.lpop('none', 2), await redis.rpop('none')]
}

export async function popsSeveral(redis: Redis) {
  await redis.rpush('queue', 'a', 'b', 'c', 'd')
  return [await redis.lpop('queue', 2), await redis.rpop('queue', 1)]
}

export async function ranges(redis: Redis) {
  await redis.rpush('l', 1, 2, 3, 4)
  return [await redis.lrange('l', 0, -1), await redis.lrange('l', '1', '2'), await redis.lrange('none', 0, -1)]
}

export async function editsAList(redis: Redis) {
  await redis.rpush('l', 'a', 'b', 'a', 'c')
  const removed = await redis.lrem('l', 1, 'a')
  const inserted = await redis.linsert('l', 'BEFORE', 'c', 'x')
  const missing = await redis.linsert('l', 'AFTER', 'nope', 'x')
  await redis.lset('l', 0, 'B')
  await redis.ltrim('l', 0, 2)
  return { removed, inserted, missing, at: await redis.lindex('l', 0), beyond: await redis.lindex('l', 99) }
}

export async function findsPositions(redis: Redis) {
  await redis.rpush('l', 'a', 'b', 'a')
  return {
    first: await redis.lpos('l', 'a'),
    last: await redis.lpos('l', 'a', 'RANK', -1),
    all: await redis.lpos('l', 'a', 'COUNT', 0),
    none: await redis.lpos('l', 'z'),
  }
}

export async function blocksUntilThere(redis: Redis) {
  await redis.rpush('jobs', 'one', 'two')
  const popped = await redis.blpop('jobs', 1)
  const [key, value] = (await redis.brpop('jobs', 1))!
  return { popped, key, value }
}

export async function blocksOnSeveralQueues(redis: Redis) {
  await redis.rpush('low', 'job')
  const reply = await redis.blpop('high', 'low', 1)
  if (!reply) return 'nothing'
  return `${reply[0]}=${reply[1]}`
}

export async function blocksOnAListOfQueues(redis: Redis) {
  await redis.rpush('low', 'job')
  const queues = ['high', 'low']
  return redis.brpop(queues, 1)
}

export async function timesOut(redis: Redis) {
  return redis.blpop('empty', 0.01)
}

export async function workerLoop(redis: Redis) {
  await redis.rpush('work', 'a', 'b', 'c', 'stop')
  const worker = redis.duplicate()
  const done: string[] = []
  for (;;) {
    const item = await worker.blpop('work', 1)
    if (item === null || item[1] === 'stop') break
    done.push(item[1])
    await redis.hincrby('work:done', item[1], 1)
  }
  worker.disconnect()
  return done
}

export async function movesReliably(redis: Redis) {
  await redis.rpush('todo', 'a', 'b', 'c')
  const one = await redis.rpoplpush('todo', 'doing')
  const two = await redis.lmove('todo', 'doing', 'LEFT', 'RIGHT')
  const three = await redis.brpoplpush('todo', 'doing', 1)
  const none = await redis.blmove('todo', 'doing', 'LEFT', 'RIGHT', 0.01)
  return [one, two, three, none]
}

export async function popsFromSeveralLists(redis: Redis) {
  await redis.rpush('l2', 'a', 'b')
  return [await redis.lmpop(2, 'l1', 'l2', 'LEFT'), await redis.lmpop(1, 'l2', 'RIGHT', 'COUNT', 5), await redis.lmpop(1, 'l2', 'LEFT')]
}

export async function waitsForAnotherClient(redis: Redis) {
  const consumer = redis.duplicate()
  const waiting = consumer.brpop('handover', 5)
  await redis.lpush('handover', 'parcel')
  const got = await waiting
  await consumer.quit()
  return got
}

export async function sortsAList(redis: Redis) {
  await redis.rpush('ids', 3, 1, 2)
  await redis.mset('w1', 30, 'w2', 20, 'w3', 10, 'n1', 'one', 'n2', 'two', 'n3', 'three')
  return {
    plain: await redis.sort('ids'),
    desc: await redis.sort('ids', 'DESC'),
    by: await redis.sort('ids', 'BY', 'w*', 'GET', 'n*', 'GET', '#'),
    limited: await redis.sort('ids', 'LIMIT', 0, 2, 'ASC'),
    stored: await redis.sort('ids', 'STORE', 'sorted'),
    alpha: await redis.sort('ids', 'ALPHA'),
  }
}
