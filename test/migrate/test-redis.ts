/** A redis-server for the tests of one file. */
import { createClient } from 'redis'
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest'
import { type RedisServer, startRedisServer } from '../support/redis-server.ts'

const connect = async (url: string) => createClient({ url }).connect()

/** Starts the server for the whole file, and empties it before each test. Call it once, at the top of the file. */
export function testRedis() {
  let server: RedisServer
  let client: Awaited<ReturnType<typeof connect>>
  let opened: { close(): Promise<void> }[] = []

  beforeAll(async () => {
    server = await startRedisServer()
    client = await connect(server.url)
  })
  beforeEach(async () => {
    await client.flushAll()
  })
  afterEach(async () => {
    for (const one of opened) await one.close()
    opened = []
  })
  afterAll(async () => {
    await client.close()
    await server.stop()
  })

  return {
    get server() {
      return server
    },
    get url() {
      return server.url
    },
    /** Sees the keys as they are. */
    get client() {
      return client
    },
    /** Closes what a test has opened, after that test. */
    closing<T extends { close(): Promise<void> }>(one: T): T {
      opened.push(one)
      return one
    },
  }
}
