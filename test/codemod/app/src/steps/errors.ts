import { type Redis, ReplyError } from 'ioredis'

export async function rejectsWithTheServersMessage(redis: Redis) {
  await redis.set('text', 'abc')
  try {
    await redis.incr('text')
    return 'no error'
  } catch (error) {
    return { isError: error instanceof Error, message: (error as Error).message }
  }
}

export async function rejectsWrongTypes(redis: Redis) {
  await redis.set('text', 'abc')
  return redis.lpush('text', 'x')
}

export async function checksTheClass(redis: Redis) {
  await redis.set('text', 'abc')
  return redis.incr('text').catch((error: unknown) => error instanceof ReplyError)
}

export async function checksTheClassInACatch(redis: Redis) {
  await redis.set('text', 'abc')
  try {
    return await redis.hget('text', 'f')
  } catch (error) {
    if (error instanceof ReplyError) return { reply: (error as Error).message }
    throw error
  }
}

export async function checksTheName(redis: Redis) {
  await redis.set('text', 'abc')
  try {
    await redis.sadd('text', 'x')
    return 'no error'
  } catch (error) {
    if (error instanceof Error && error.name === 'ReplyError') return 'reply error'
    return 'something else'
  }
}

export async function switchesOnTheMessage(redis: Redis) {
  await redis.set('text', 'abc')
  try {
    await redis.hset('text', 'a', 1)
    return null
  } catch (error) {
    const { message } = error as Error
    if (message.startsWith('WRONGTYPE')) return 'wrong type'
    throw error
  }
}

export async function leavesNoUnhandledRejection(redis: Redis) {
  const rejections: unknown[] = []
  const listener = (reason: unknown) => rejections.push(reason)
  process.on('unhandledRejection', listener)
  await redis.set('text', 'abc')
  const pipeline = redis.pipeline()
  pipeline.incr('text')
  pipeline.get('text')
  const results = await pipeline.exec()
  await new Promise((resolve) => setImmediate(resolve))
  process.off('unhandledRejection', listener)
  return { rejections: rejections.length, failed: results![0]![0]?.message }
}

export async function readsTheFailedCommand(redis: Redis) {
  await redis.set('text', 'abc')
  return redis.incr('text').catch((error: { command?: { name: string; args: string[] } }) => error.command)
}
