import { Redis, ReplyError } from 'ioredis'

type Pairs = [Error | null, unknown][] | null

const namesOf = (pairs: Pairs) =>
  pairs?.map(([error, value]) =>
    error ? { name: error.name, isReply: error instanceof ReplyError, message: error.message, text: String(error) } : { value },
  )

export async function namesErrorsOfAPipeline(redis: Redis) {
  await redis.set('text', 'abc')
  return namesOf(await redis.pipeline().incr('text').get('text').lpush('text', 'x').exec())
}

export async function namesErrorsOfATransaction(redis: Redis) {
  await redis.set('text', 'abc')
  return namesOf(await redis.multi().incr('text').get('text').lpush('text', 'x').exec())
}

export async function namesErrorsOfNestedReplies(redis: Redis) {
  return namesOf(await redis.multi().eval("return { redis.error_reply('ERR inner'), 'x' }", 0).eval("return redis.error_reply('ERR own')", 0).exec())
}

export async function namesErrorsOfBuffers(redis: Redis) {
  await redis.set('text', 'abc')
  return namesOf(await redis.multi().incr('text').getBuffer('text').exec())
}

export async function namesTheErrorOfAnAbortedTransaction(redis: Redis) {
  return redis
    .multi()
    .set('a', 1)
    .call('SET', 'only-a-key')
    .exec()
    .then(namesOf, (error: Error & { previousErrors?: Error[] }) => ({
      name: error.name,
      message: error.message,
      isReply: error instanceof ReplyError,
      previous: error.previousErrors?.map(({ name, message }) => ({ name, message })),
    }))
}

export async function namesErrorsOfCallbacks(redis: Redis) {
  await redis.set('text', 'abc')
  const names: unknown[] = []
  await redis.pipeline().incr('text', (error) => names.push(error?.name)).exec()
  await redis.multi().incr('text', (error) => names.push(error?.name)).exec()
  return names
}

export async function runsAPipelineTwice(redis: Redis) {
  const pipeline = redis.pipeline().incr('n').rpush('l', 'x')
  const first = await pipeline.exec()
  const second = await pipeline.exec()
  await redis.ping()
  return { first, second, isSame: first === second, n: await redis.get('n'), length: pipeline.length }
}

export async function runsAPipelineTwiceAtOnce(redis: Redis) {
  const pipeline = redis.pipeline().incr('n')
  const both = await Promise.all([pipeline.exec(), pipeline.exec()])
  await redis.ping()
  return { both, n: await redis.get('n') }
}

export async function addsToAPipelineThatRan(redis: Redis) {
  const pipeline = redis.pipeline().incr('n')
  const first = await pipeline.exec()
  pipeline.incr('n').incr('m')
  const second = await pipeline.exec()
  await redis.ping()
  return { first, second, n: await redis.get('n'), m: await redis.get('m') }
}

export async function runsAnEmptyChainTwice(redis: Redis) {
  const pipeline = redis.pipeline()
  const first = await pipeline.exec()
  pipeline.incr('n')
  const second = await pipeline.exec()
  await redis.ping()
  return { first, second, n: await redis.get('n') }
}

export async function callsBackOnce(redis: Redis) {
  const seen: unknown[] = []
  const pipeline = redis.pipeline().incr('n', (error, value) => seen.push(['command', error, value]))
  await pipeline.exec((error, pairs) => seen.push([error, pairs]))
  await pipeline.exec((error, pairs) => seen.push(['second', error, pairs]))
  await redis.ping()
  return { seen, n: await redis.get('n') }
}

export async function countsCommands(redis: Redis) {
  const multi = redis.multi()
  const empty = multi.length
  multi.set('a', 1)
  const one = multi.length
  await multi.exec()
  return [empty, one, multi.length]
}
