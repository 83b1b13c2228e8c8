/**
 * Estimates the number of session records without a scan over all keys. It multiplies the number of keys on each server by the share of
 * sessions in a random sample. With few keys it counts them instead.
 */
import type { RedisClientPort, RedisReply } from '../../redis/client-port.ts'

/** Sample size. If half of 10,000 keys are sessions, the estimate is within 7 % in 19 of 20 cases. */
const DRAWN = 200
const COUNTED_BELOW = 1000

type Server = Pick<RedisClientPort, 'command'>

/** @param prefix prefix of session key names */
export async function estimateSessions(client: RedisClientPort, prefix: string): Promise<number> {
  const counts = await Promise.all(client.servers().map((server) => estimateAt(server, prefix)))
  return counts.reduce((sum, count) => sum + count, 0)
}

async function estimateAt(server: Server, prefix: string): Promise<number> {
  const keys = Number(await server.command('', ['DBSIZE']))
  if (keys === 0) return 0
  if (keys < COUNTED_BELOW) return countAt(server, prefix)
  const drawn = await Promise.all(Array.from({ length: DRAWN }, () => server.command('', ['RANDOMKEY'])))
  const names = drawn.filter((name) => name !== null)
  const hits = names.filter((name) => isSession(name, prefix)).length
  return Math.round((keys * hits) / Math.max(names.length, 1))
}

async function countAt(server: Server, prefix: string): Promise<number> {
  const names = new Set<string>()
  let cursor = '0'
  do {
    const reply = (await server.command('', ['SCAN', cursor, 'COUNT', String(COUNTED_BELOW)])) as readonly RedisReply[]
    cursor = String(reply[0])
    for (const name of reply[1] as readonly RedisReply[]) if (isSession(name, prefix)) names.add(String(name))
  } while (cursor !== '0')
  return names.size
}

function isSession(name: RedisReply, prefix: string): boolean {
  return String(name).startsWith(prefix)
}
