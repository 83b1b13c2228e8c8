/** An instance on a Redis of its own, for tests of what is told about it. */
import { randomBytes } from 'node:crypto'
import { type Coatcheck, coatcheck, oidc } from '../../src/entries/coatcheck.ts'
import { redisStore, type RedisStoreOptions } from '../../src/stores/redis/redis-store.ts'
import { type RedisServer, startRedisServer } from '../support/redis-server.ts'

export interface TelemetryApp {
  readonly server: RedisServer
  readonly auth: Coatcheck<Record<string, unknown>>
  /** Shares the connection of the first one. */
  another(): Coatcheck<Record<string, unknown>>
  stop(): Promise<void>
}

export async function startTelemetryApp(store: RedisStoreOptions = {}): Promise<TelemetryApp> {
  const server = await startRedisServer()
  const options = { keys: randomBytes(32).toString('base64'), baseUrl: 'http://localhost:3000' }
  const issuer = 'https://idp.example'
  const make = () =>
    coatcheck({
      ...options,
      store: redisStore({ ...store, url: server.url }),
      providers: [oidc({ name: 'idp', issuer, clientId: 'app' })],
    })
  const all = [make()]
  return {
    server,
    auth: all[0]!,
    another() {
      const one = make()
      all.push(one)
      return one
    },
    async stop() {
      await Promise.all(all.map((one) => one.close()))
      await server.stop()
    },
  }
}

/** What the figures of a run have to be. */
export interface Counted {
  readonly found: number
  readonly malformed: number
  readonly revoked: number
  readonly lost: number
}

/** Sessions found, ended, malformed and lost, a token hit and a miss; the numbers are those that the figures must show. */
export async function liveALittle({ auth, server }: Pick<TelemetryApp, 'auth' | 'server'>): Promise<Counted> {
  const { ticket, session } = await auth.sessions.create({ userId: 'ada' })
  const { ticket: victim } = await auth.sessions.create({ userId: 'grace' })
  await auth.sessions.create()
  for (let i = 0; i < 7; i++) await auth.sessions.find(ticket)
  for (let i = 0; i < 3; i++) await auth.sessions.find('nonsense')
  // found once more by the update itself
  await auth.sessions.update(ticket, (data) => void (data['a'] = 1))
  await auth.tokens.setUserTokens('ada', { accessToken: 'at-1', expiresAt: Date.now() + 3_600_000 })
  await auth.tokens.getAccessToken('ada')
  await auth.tokens.getAccessToken('nobody').catch(() => undefined)
  await auth.sessions.revoke(session.id ?? '', 'somebody@example.test asked')
  await auth.sessions.find(ticket)
  await auth.sessions.revokeByUser('ada', { reason: 'signed-out' })
  // What an eviction leaves behind.
  await server.cli('eval', "for _, k in ipairs(redis.call('keys', 'user:{*}:gen')) do redis.call('del', k) end", '0')
  await auth.sessions.find(victim)
  await auth.sessions.find(victim)
  return { found: 8, malformed: 3, revoked: 1, lost: 2 }
}
