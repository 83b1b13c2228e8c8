import { readFileSync } from 'node:fs'
import Redis, { type RedisOptions } from 'ioredis'

const port = Number(process.env.REDIS_PORT)
const url = process.env.REDIS_URL as string
const securePort = Number(process.env.REDIS_PASSWORD_PORT)

async function roundTrip(client: Redis, key = 'built'): Promise<unknown> {
  const reply = await client.set(key, 'yes')
  const value = await client.get(key)
  await client.quit()
  return [reply, value]
}

export async function fromAPort() {
  return roundTrip(new Redis(port))
}

export async function fromPortAndHost() {
  return roundTrip(new Redis(port, 'localhost'))
}

export async function fromPortHostAndOptions() {
  return roundTrip(new Redis(port, '127.0.0.1', { db: 2 }))
}

export async function fromPortAndOptions() {
  return roundTrip(new Redis(port, { keyPrefix: 'app:' }))
}

export async function fromAUrl() {
  return roundTrip(new Redis(url))
}

export async function fromAUrlWithDatabase() {
  return roundTrip(new Redis(`${url}/3`))
}

export async function fromAUrlWithOptions() {
  return roundTrip(new Redis(url, { keyPrefix: 'p:', db: 1 }))
}

export async function fromAUrlWithQuery() {
  return roundTrip(new Redis(`${url}/2?keyPrefix=q:&enableReadyCheck=false`))
}

export async function fromAHostAndPortText() {
  return roundTrip(new Redis(`//127.0.0.1:${port}`))
}

export async function fromOptions() {
  return roundTrip(
    new Redis({
      host: '127.0.0.1', // the address of the fixture
      port,
      family: 4,
      db: 4,
      connectTimeout: 5_000,
      keepAlive: 10_000,
      noDelay: true,
      enableReadyCheck: true,
      autoResubscribe: false,
      enableAutoPipelining: true,
    }),
  )
}

export async function fromAVariable() {
  const options: RedisOptions = { host: '127.0.0.1', port, db: 5 }
  return roundTrip(new Redis(options))
}

export async function fromSpreadOptions() {
  const base = { host: '127.0.0.1', port }
  return roundTrip(new Redis({ ...base, db: 6, keyPrefix: 'spread:' }))
}

function optionsFromEnvironment(): RedisOptions {
  const options: RedisOptions = { host: '127.0.0.1' }
  options.port = port
  if (process.env.REDIS_DB_UNSET) options.db = Number(process.env.REDIS_DB_UNSET)
  return options
}

export async function fromAFunction() {
  return roundTrip(new Redis(optionsFromEnvironment()))
}

export async function fromASocketPath() {
  return roundTrip(new Redis(process.env.REDIS_SOCKET as string))
}

export async function fromAPathOption() {
  return roundTrip(new Redis({ path: process.env.REDIS_SOCKET as string, db: 1 }))
}

export async function fromALocalUrl() {
  return roundTrip(new Redis(`redis://localhost:${port}`))
}

export async function fromEnvironmentOrDefault() {
  const client = process.env.REDIS_URL ? new Redis(process.env.REDIS_URL) : new Redis()
  return roundTrip(client)
}

export async function withAPassword() {
  const client = new Redis({ port: securePort, host: '127.0.0.1', password: 'secret' })
  const value = await client.ping()
  await client.quit()
  return value
}

export async function withAUserAndPassword() {
  const client = new Redis({ port: securePort, username: 'app', password: 'app-secret' })
  const who = await client.call('ACL', 'WHOAMI')
  client.disconnect()
  return who
}

export async function withAPasswordInTheUrl() {
  const client = new Redis(`redis://:secret@127.0.0.1:${securePort}/1`)
  const who = await client.acl('WHOAMI')
  await client.quit()
  return who
}

export async function withAWrongPassword() {
  const client = new Redis({ port: securePort, password: 'wrong', retryStrategy: () => null, maxRetriesPerRequest: 0 })
  client.on('error', () => undefined)
  try {
    return await client.get('k')
  } catch (error) {
    return (error as Error).message.split(' ')[0]
  } finally {
    client.disconnect()
  }
}

export async function withTls() {
  const client = new Redis({
    port: Number(process.env.REDIS_TLS_PORT),
    host: '127.0.0.1',
    tls: { ca: readFileSync(process.env.REDIS_CA as string), servername: 'redis.test' },
  })
  const pong = await client.ping('over tls')
  await client.quit()
  return pong
}

export async function withTlsInTheUrl() {
  const client = new Redis(`rediss://127.0.0.1:${process.env.REDIS_TLS_PORT}`, {
    tls: { rejectUnauthorized: false },
  })
  const pong = await client.ping()
  await client.quit()
  return pong
}

export async function withoutTlsAgainstATlsServer() {
  const client = new Redis({
    port: Number(process.env.REDIS_TLS_PORT),
    retryStrategy: () => null,
    maxRetriesPerRequest: 0,
  })
  client.on('error', () => undefined)
  return client.ping().then(
    () => 'talked in clear',
    () => 'refused',
  )
}

export async function withAConnectionName() {
  const client = new Redis({ port, connectionName: 'fixture' })
  const name = await client.client('GETNAME')
  await client.quit()
  return name
}

export async function withLazyConnect() {
  const client = new Redis({ port, lazyConnect: true })
  const before = client.status
  await client.connect()
  const after = client.status
  const value = await roundTrip(client)
  return { before, after, value }
}

export async function withLazyConnectAndNoConnect() {
  // The first command connects.
  const client = new Redis({ port, lazyConnect: true })
  return roundTrip(client)
}

export async function usesAtOnceWhatIsNotConnected() {
  const client = new Redis(port)
  const replies = await Promise.all([client.set('early', 1), client.incr('early'), client.get('early')])
  client.disconnect()
  return replies
}

export async function withARetryStrategyThatGivesUp() {
  let calls = 0
  const client = new Redis(Number(process.env.REDIS_CLOSED_PORT), {
    retryStrategy(times) {
      calls = times
      return times > 2 ? null : 5
    },
    maxRetriesPerRequest: null,
  })
  client.on('error', () => undefined)
  const outcome = await client.get('k').then(
    () => 'answered',
    (error: Error) => error.message,
  )
  return { outcome, calls }
}

export async function withMaxRetriesPerRequest() {
  const client = new Redis(Number(process.env.REDIS_CLOSED_PORT), { maxRetriesPerRequest: 1, retryStrategy: () => 5 })
  client.on('error', () => undefined)
  try {
    return await client.get('k')
  } catch (error) {
    return [(error as Error).name, (error as Error).message]
  } finally {
    client.disconnect()
  }
}

export async function withoutAnOfflineQueue() {
  const client = new Redis({ port, enableOfflineQueue: false })
  client.on('error', () => undefined)
  const early = await client.get('k').catch((error: Error) => error.message)
  await new Promise((resolve) => client.once('ready', resolve))
  const late = await client.get('k')
  client.disconnect()
  return { early, late }
}

export async function withACommandTimeout() {
  const client = new Redis({ port, commandTimeout: 50 })
  const outcome = await client.blpop('never', 1).catch((error: Error) => error.message)
  client.disconnect()
  return outcome
}

export async function withAKeyPrefix(redis: Redis) {
  const client = new Redis({ port, keyPrefix: 'tenant:' })
  await client.mset('a', 1, 'b', 2)
  await client.hset('h', 'f', 'v')
  await client.sadd('s1', 1)
  const union = await client.sunionstore('u', 's1', 's2')
  const keys = (await client.keys('tenant:*')).sort()
  const script = await client.eval('return KEYS[1]', 1, 'k')
  const deleted = await client.del('a', 'b')
  const piped = await client.pipeline().set('p', 1).get('p').exec()
  await client.quit()
  return { union, keys, script, deleted, piped, raw: await redis.get('tenant:p') }
}

export async function withStringNumbers() {
  const client = new Redis({ port, stringNumbers: true })
  await client.set('big', '9007199254740993')
  const next = await client.incr('big')
  await client.quit()
  return next
}

export async function readsItsOptions() {
  const client = new Redis({ port, host: '127.0.0.1', db: 3, lazyConnect: true })
  const { host, db } = client.options
  client.disconnect()
  return { host, db }
}
