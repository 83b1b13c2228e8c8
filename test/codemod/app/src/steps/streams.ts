import type { Redis } from 'ioredis'

async function seed(redis: Redis): Promise<void> {
  await redis.xadd('events', '1-0', 'type', 'created', 'id', '7')
  await redis.xadd('events', '2-0', 'type', 'deleted', 'id', 8)
}

export async function addsAnEntry(redis: Redis) {
  const id = await redis.xadd('events', '*', 'type', 'created')
  return [/^\d+-\d+$/.test(String(id)), await redis.xlen('events')]
}

export async function addsWithOptions(redis: Redis) {
  await seed(redis)
  const trimmed = await redis.xadd('events', 'MAXLEN', '=', 2, '3-0', 'a', 'b')
  const approximate = await redis.xadd('events', 'MAXLEN', '~', 1000, '4-0', 'a', 'b')
  const old = await redis.xadd('events', 'MAXLEN', 2, '5-0', 'a', 'b')
  const missing = await redis.xadd('none', 'NOMKSTREAM', '1-0', 'a', 'b')
  return { trimmed, approximate, old, missing, length: await redis.xlen('events') }
}

export async function ranges(redis: Redis) {
  await seed(redis)
  return {
    all: await redis.xrange('events', '-', '+'),
    some: await redis.xrange('events', '-', '+', 'COUNT', 1),
    reversed: await redis.xrevrange('events', '+', '-', 'COUNT', 1),
    none: await redis.xrange('none', '-', '+'),
  }
}

export async function rangesIntoObjects(redis: Redis) {
  await seed(redis)
  const entries = await redis.xrange('events', '-', '+')
  return entries.map(([id, fields]) => {
    const message: Record<string, string> = {}
    for (let i = 0; i < fields.length; i += 2) message[fields[i]!] = fields[i + 1]!
    return { id, message }
  })
}

export async function keepsRepeatedFields(redis: Redis) {
  await redis.xadd('dup', '1-0', 'tag', 'a', 'tag', 'b', 'n', '1')
  return redis.xrange('dup', '-', '+')
}

export async function reads(redis: Redis) {
  await seed(redis)
  const reply = await redis.xread('COUNT', 10, 'STREAMS', 'events', '0')
  if (!reply) return null
  const [[name, messages]] = reply as [[string, [string, string[]][]]]
  return { name, ids: messages.map(([id]) => id), reply }
}

export async function readsSeveralStreams(redis: Redis) {
  await seed(redis)
  await redis.xadd('other', '1-0', 'a', 'b')
  return redis.xread('STREAMS', 'events', 'other', '1-0', '0')
}

export async function readsNothing(redis: Redis) {
  return [await redis.xread('STREAMS', 'none', '0'), await redis.xread('BLOCK', 10, 'STREAMS', 'none', '$')]
}

export async function consumesInAGroup(redis: Redis) {
  await seed(redis)
  const created = await redis.xgroup('CREATE', 'events', 'workers', '0')
  const reply = (await redis.xreadgroup('GROUP', 'workers', 'w1', 'COUNT', 10, 'STREAMS', 'events', '>')) as [
    string,
    [string, string[]][],
  ][]
  const ids = reply[0]![1].map(([id]) => id)
  const acknowledged = await redis.xack('events', 'workers', ...ids)
  return { created, reply, acknowledged }
}

export async function createsAStreamWithItsGroup(redis: Redis) {
  const created = await redis.xgroup('CREATE', 'fresh', 'g', '$', 'MKSTREAM')
  const nothing = await redis.xreadgroup('GROUP', 'g', 'c', 'COUNT', 1, 'BLOCK', 10, 'STREAMS', 'fresh', '>')
  return { created, nothing }
}

export async function toleratesAnExistingGroup(redis: Redis) {
  await redis.xgroup('CREATE', 's', 'g', '$', 'MKSTREAM')
  try {
    await redis.xgroup('CREATE', 's', 'g', '$', 'MKSTREAM')
    return 'created twice'
  } catch (error) {
    if (!(error as Error).message.includes('BUSYGROUP')) throw error
    return (error as Error).message
  }
}

export async function managesGroups(redis: Redis) {
  await seed(redis)
  await redis.xgroup('CREATE', 'events', 'g', '0')
  return [
    await redis.xgroup('CREATECONSUMER', 'events', 'g', 'c1'),
    await redis.xgroup('SETID', 'events', 'g', '1-0'),
    await redis.xgroup('DELCONSUMER', 'events', 'g', 'c1'),
    await redis.xgroup('DESTROY', 'events', 'g'),
  ]
}

export async function seesPending(redis: Redis) {
  await seed(redis)
  await redis.xgroup('CREATE', 'events', 'g', '0')
  await redis.xreadgroup('GROUP', 'g', 'c1', 'STREAMS', 'events', '>')
  const summary = await redis.xpending('events', 'g')
  const list = (await redis.xpending('events', 'g', '-', '+', 10)) as [string, string, number, number][]
  return { summary, list: list.map(([id, consumer, , deliveries]) => [id, consumer, deliveries]) }
}

export async function claims(redis: Redis) {
  await seed(redis)
  await redis.xgroup('CREATE', 'events', 'g', '0')
  await redis.xreadgroup('GROUP', 'g', 'c1', 'STREAMS', 'events', '>')
  const claimed = await redis.xclaim('events', 'g', 'c2', 0, '1-0')
  const ids = await redis.xclaim('events', 'g', 'c3', 0, '1-0', 'JUSTID')
  const auto = await redis.xautoclaim('events', 'g', 'c4', 0, '0-0', 'COUNT', 10)
  return { claimed, ids, auto }
}

export async function trimsAndDeletes(redis: Redis) {
  await seed(redis)
  await redis.xadd('events', '3-0', 'a', 'b')
  return [await redis.xdel('events', '1-0', '9-0'), await redis.xtrim('events', 'MAXLEN', 1), await redis.xtrim('events', 'MINID', '=', '4-0')]
}

export async function inspects(redis: Redis) {
  await seed(redis)
  await redis.xgroup('CREATE', 'events', 'g', '0')
  const info = (await redis.xinfo('STREAM', 'events')) as unknown[]
  const groups = await redis.xinfo('GROUPS', 'events')
  const consumers = await redis.xinfo('CONSUMERS', 'events', 'g')
  return { length: info[info.indexOf('length') + 1], groups, consumers }
}

export async function resetsTheId(redis: Redis) {
  await seed(redis)
  return redis.xsetid('events', '5-0')
}

export async function listensWithABlockingRead(redis: Redis) {
  const reader = redis.duplicate()
  const seen: string[] = []
  let last = '0'
  await redis.xadd('feed', '1-0', 'n', '1')
  await redis.xadd('feed', '2-0', 'n', '2')
  while (seen.length < 2) {
    const results = await reader.xread('COUNT', 1, 'BLOCK', 1000, 'STREAMS', 'feed', last)
    if (!results) continue
    for (const [, messages] of results) {
      for (const [id, fields] of messages) {
        last = id
        seen.push(`${id}:${fields.join('=')}`)
      }
    }
  }
  reader.disconnect()
  return seen
}
