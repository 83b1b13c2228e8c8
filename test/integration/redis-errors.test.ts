/** What real servers refuse, on every major of the client library: each cause has its code, and no text contains a secret. */
import { createServer } from 'node:http'
import { once } from 'node:events'
import { chmodSync, rmSync } from 'node:fs'
import { createServer as createTcpServer, type AddressInfo } from 'node:net'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { isCoatcheckError } from '../../src/core/errors.ts'
import { defineScript } from '../../src/redis/script.ts'
import { closeRedis, libraryMajors, openRedis, outcome, untilWorks } from '../support/redis-clients.ts'
import { type RedisServer, startRedisServer } from '../support/redis-server.ts'
import { expectWithin } from '../lab/limits.ts'

const SECRET = 'canary-of-a-secret'
let open: RedisServer
let guarded: RedisServer
beforeAll(async () => {
  open = await startRedisServer()
  guarded = await startRedisServer({ args: ['--requirepass', SECRET] })
})
afterEach(closeRedis)
afterAll(async () => {
  await open.stop()
  await guarded.stop()
})

/** @returns the error of `ready()`, which must come well before the connect deadline when waiting mends nothing */
async function refusal(url: string, connectTimeoutMs = 3000): Promise<Error & { code: string }> {
  const { redis, get } = openRedis({ url, connectTimeoutMs })
  const error = await redis.ready().then(
    () => Promise.reject(new Error('it became ready')),
    (reason: unknown) => reason,
  )
  if (!isCoatcheckError(error)) throw error
  const shown = [error.message, error.stack, JSON.stringify(error), String((error.cause as Error | undefined)?.stack)]
  expect(shown.join()).not.toContain(SECRET)
  // Operations hear the same reason, at once.
  const operation = await outcome(() => get('k'))
  expect(operation).toMatchObject({ code: error.code })
  expectWithin(operation.ms, 200)
  return error
}

describe.each(libraryMajors)('redis $major', ({ install }) => {
  beforeAll(install)

  test('no password: NOAUTH', async () => {
    expect(await refusal(guarded.url)).toMatchObject({ code: 'COATCHECK_REDIS_NOAUTH', retryable: false })
  })

  test('a wrong password or user: AUTH', async () => {
    const at = `127.0.0.1:${guarded.port}`
    expect(await refusal(`redis://:${SECRET}-not@${at}`)).toMatchObject({ code: 'COATCHECK_REDIS_AUTH' })
    expect(await refusal(`redis://nobody:${SECRET}@${at}`)).toMatchObject({ code: 'COATCHECK_REDIS_AUTH' })
    const { get } = openRedis({ url: `redis://:${SECRET}@${at}` })
    expect(await get('k')).toBeNull()
  })

  test('a database that does not exist: DATABASE, and nothing lands in database 0', async () => {
    const { redis, set } = openRedis({ url: `${open.url}/99` })
    const write = outcome(() => set('stray', '1'))
    await expect(redis.ready()).rejects.toMatchObject({ code: 'COATCHECK_REDIS_DATABASE' })
    expect((await write).code).toBe('COATCHECK_REDIS_DATABASE')
    expect(await open.cli('exists', 'stray')).toBe('0')
  })

  test('commands and keys that the ACL forbids: NOPERM; without TIME it works nevertheless', async () => {
    await open.cli('acl', 'setuser', 'narrow', 'on', '>x', '~mine:*', '+get', '+ping')
    const { redis, get, set } = openRedis({ url: `redis://narrow:x@127.0.0.1:${open.port}` })
    await redis.ready()
    expect(await get('mine:k')).toBeNull()
    expect((await outcome(() => set('mine:k', '1'))).code).toBe('COATCHECK_REDIS_NOPERM')
    expect((await outcome(() => get('other'))).code).toBe('COATCHECK_REDIS_NOPERM')
  })

  test('an unknown command: PROTOCOL, and its arguments are not repeated', async () => {
    const { redis } = openRedis({ url: open.url })
    const error = await redis.command('k', ['NOSUCH', 'k', SECRET]).catch((reason: unknown) => reason as Error)
    expect(error).toMatchObject({ code: 'COATCHECK_REDIS_PROTOCOL' })
    expect(`${String(error)} ${String((error as Error).cause)} ${JSON.stringify(error)}`).not.toContain(SECRET)
  })

  test('another server on the port: PROTOCOL', async () => {
    const http = createServer((_, response) => response.end('hello')).listen(0, '127.0.0.1')
    await once(http, 'listening')
    const { port } = http.address() as AddressInfo
    expect(await refusal(`redis://127.0.0.1:${port}`)).toMatchObject({ code: 'COATCHECK_REDIS_PROTOCOL' })
    http.close()
  })

  test('a port that accepts and stays silent, a host and a socket that do not exist: UNREACHABLE', async () => {
    const silent = createTcpServer(() => undefined).listen(0, '127.0.0.1')
    await once(silent, 'listening')
    const { port } = silent.address() as AddressInfo
    expect(await refusal(`redis://127.0.0.1:${port}`, 300)).toMatchObject({ code: 'COATCHECK_REDIS_UNREACHABLE' })
    await closeRedis()
    silent.close()
    expect((await refusal('redis://no-such-host.invalid', 2000)).message).toMatch(/host name does not resolve/)
    expect((await refusal('unix:///nowhere/redis.sock', 2000)).message).toContain('socket file does not exist')
  })

  test('memory is full: OOM for writes, reads go on', async () => {
    const { redis, get, set } = openRedis({ url: open.url })
    await set('kept', '1')
    await open.cli('config', 'set', 'maxmemory', '1')
    expect((await outcome(() => set('k', '1'))).code).toBe('COATCHECK_REDIS_OOM')
    const script = defineScript('write', 'return redis.call("SET", KEYS[1], "1")')
    expect((await outcome(() => redis.script(script, ['k'], []))).code).toBe('COATCHECK_REDIS_OOM')
    expect(await get('kept')).toBe('1')
    await open.cli('config', 'set', 'maxmemory', '0')
  })
})

test('a replica: READONLY for writes', async () => {
  const replica = await startRedisServer({ args: ['--replicaof', '127.0.0.1', String(open.port)] })
  const { get, set } = openRedis({ url: replica.url })
  expect((await outcome(() => set('k', '1'))).code).toBe('COATCHECK_REDIS_READONLY')
  expect((await outcome(() => get('none'))).code).toBe('ok')
  await closeRedis()
  await replica.stop()
})

test('snapshots fail: MISCONF for writes', async () => {
  const server = await startRedisServer({ args: ['--save', '3600', '1'] })
  const { set } = openRedis({ url: server.url })
  await set('k', '1')
  chmodSync(server.dir, 0o700)
  rmSync(server.dir, { recursive: true })
  await server.cli('bgsave')
  await untilWorks(async () => expect(await server.cli('info', 'persistence')).toContain('rdb_last_bgsave_status:err'))
  expect((await outcome(() => set('k', '2'))).code).toBe('COATCHECK_REDIS_MISCONF')
  await closeRedis()
  await server.stop()
})

test('a server that loads its data: LOADING after the deadline, an answer when it is done within it', async () => {
  // 2,000 keys at 0.5 ms each: it loads for a second.
  const server = await startRedisServer({
    args: ['--key-load-delay', '500', '--loading-process-events-interval-bytes', '1024'],
  })
  await server.cli('eval', 'for i = 1, 2000 do redis.call("SET", "k" .. i, string.rep("x", 20)) end', '0')
  await server.restart({ save: true })
  const { redis, get } = openRedis({ url: server.url })
  expect((await outcome(() => get('k1'))).code).toBe('COATCHECK_REDIS_LOADING')
  const patient = await redis.command('k1', ['GET', 'k1'], { deadlineMs: 10_000 })
  expect(String(patient)).toBe('x'.repeat(20))
  await closeRedis()
  await server.stop()
})

test('an endless script of somebody else: BUSY or a timeout, then work goes on', async () => {
  const server = await startRedisServer({ args: ['--busy-reply-threshold', '50'] })
  const { redis, get } = openRedis({ url: server.url })
  await redis.ready()
  const endless = server.cli('eval', 'while true do end', '0').catch(() => undefined)
  await untilWorks(async () => expect((await outcome(() => get('k'))).code).toBe('COATCHECK_REDIS_BUSY'))
  await server.cli('script', 'kill')
  await endless
  expectWithin(await untilWorks(() => get('k')), 1000)
  await closeRedis()
  await server.stop()
})

test('a node of a cluster: CLUSTERDOWN without its slots, CROSSSLOT for keys of two', async () => {
  const node = await startRedisServer({ args: ['--cluster-enabled', 'yes'] })
  const { redis, get } = openRedis({ url: node.url })
  expect((await outcome(() => get('k'))).code).toBe('COATCHECK_REDIS_CLUSTERDOWN')
  await node.cli('cluster', 'addslotsrange', '0', '16383')
  await untilWorks(() => get('k'))
  expect((await outcome(() => redis.command('a', ['MGET', 'a', 'b']))).code).toBe('COATCHECK_REDIS_CROSSSLOT')
  await closeRedis()
  await node.stop()
})

test('no more clients allowed: UNREACHABLE, says maxclients', async () => {
  const server = await startRedisServer({ args: ['--maxclients', '1'] })
  const first = openRedis({ url: server.url })
  await first.redis.ready()
  await expect(openRedis({ url: server.url, connectTimeoutMs: 3000 }).redis.ready()).rejects.toThrow(/maxclients/)
  await closeRedis()
  await server.stop()
})
