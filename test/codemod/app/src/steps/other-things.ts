import type { Redis } from 'ioredis'

// Things with the same method names that are no Redis clients. The codemod must leave every one of them alone.
const http = {
  get: async (path: string, options?: { params?: object }) => ({ path, ...options }),
  del: async (...paths: string[]) => paths.length,
  set: (name: string, ...values: unknown[]) => [name, ...values],
  exec: async () => [1, 2],
  pipeline: () => http,
  hset: (...parts: unknown[]) => parts.length,
}

export async function leavesMapsAlone(redis: Redis) {
  const local = new Map<string, string>([['k', 'local']])
  local.set('a', 'b')
  await redis.set('k', 'remote')
  return [local.get('k'), await redis.get('k'), local.size, [...local.keys()]]
}

export async function leavesHttpClientsAlone() {
  return [await http.get('/users', { params: { id: 1 } }), await http.del('a', 'b'), http.set('k', 'v', 'EX', 60)]
}

export async function leavesOtherPipelinesAlone() {
  return http.pipeline().exec()
}

export async function leavesSetsAlone() {
  const set = new Set([1])
  set.add(2)
  const params = new URLSearchParams('a=1')
  params.set('b', '2')
  return [set.has(1), params.get('b'), http.hset('a', 'b', 'c')]
}

export async function leavesRegularExpressionsAlone() {
  return /(\d+)/.exec('abc 12')?.[1]
}
