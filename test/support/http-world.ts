/**
 * A world for the HTTP scenarios: a real Redis, a real identity provider, and whatever server the adapter under test makes of
 * `auth`. The base URL is https and somewhere else than the server listens, as behind every proxy.
 */
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { vi } from 'vitest'
import { type Coatcheck, coatcheck } from '../../src/app/coatcheck.ts'
import { startDevProvider } from '../../src/dev/dev-provider.ts'
import { oidc } from '../../src/oidc/provider.ts'
import { redisStore } from '../../src/stores/redis/redis-store.ts'
import type { ScenarioData } from '../../src/testing/http-scenario-app.ts'
import type { AdoptionWorld } from '../../src/testing/http-scenarios/adoption.ts'
import { CACHE_BEFORE, CACHE_LAST } from '../../src/testing/http-scenarios/visitor.ts'
import type { CookieBridge } from '../../src/migrate/cookie-bridge.ts'
import { oldApplication } from './old-application.ts'
import type { Context } from './redis-grounds.ts'
import { type RedisServer, startRedisServer } from './redis-server.ts'
import { HANG_MS, withinMs } from '../lab/limits.ts'

const BASE_URL = 'https://app.example'
/** What a client does for itself, and what the count itself takes. */
const NO_DATA = new Set([
  'info',
  'hello',
  'auth',
  'client',
  'ping',
  'time',
  'select',
  'config',
  'command',
  'script',
  'cluster',
  'role',
  'replconf',
  'psync',
  'publish',
  'subscribe',
  'asking',
])

const CACHE_FIELDS = ['cache-control', 'cdn-cache-control'] as const

export interface TestWorld extends AdoptionWorld {
  readonly redis: RedisServer
  close(): Promise<void>
}

/** @param serve makes the server of the adapter; it is not listening yet. */
export async function createHttpWorld(
  serve: (auth: Coatcheck<ScenarioData>, adopt: CookieBridge) => Server | Promise<Server>,
  status: () => Promise<Context> = plainContext,
): Promise<TestWorld> {
  const context = await status()
  const [redis] = context.primaries as [RedisServer]
  const idp = await startDevProvider({ redirectUris: [`${BASE_URL}/auth/callback`] })
  const { issuer, clientId, clientSecret } = idp
  const auth = coatcheck<ScenarioData>({
    baseUrl: BASE_URL,
    keys: randomBytes(32).toString('base64'),
    store: redisStore(context.options),
    providers: [oidc({ name: 'dev', issuer, clientId, clientSecret })],
    session: { staleFor: '60s' },
    // What works in the background would be counted with the requests.
    tokens: { revokeAtProvider: false },
  })
  await auth.ready()
  const old = oldApplication()
  const server = await serve(auth, old.bridge)
  server.prependListener('request', ({ headers }: IncomingMessage, response: ServerResponse) => {
    const value = headers[CACHE_BEFORE]
    if (value !== undefined) for (const name of CACHE_FIELDS) response.setHeader(name, value)
    const last = headers[CACHE_LAST]
    if (last !== undefined) declareWhenHeadersLeave(response, String(last))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    redis,
    auth,
    old,
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async countCommands(run) {
      const before = await dataCommands(context)
      await run()
      return (await dataCommands(context)) - before
    },
    answerWithinMs: withinMs(400),
    async breakStore() {
      for (const server of context.primaries) server.pause()
    },
    async mendStore() {
      for (const server of context.primaries) server.resume()
      // Users enough to lie on every server of a cluster.
      const asked = () => Promise.all(Array.from({ length: 24 }, (_, i) => auth.sessions.listByUser(`nobody-${i}`)))
      await vi.waitUntil(() => asked().then(Boolean, () => false), { timeout: HANG_MS })
    },
    async later(ms, run) {
      vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + ms })
      try {
        await run()
      } finally {
        vi.useRealTimers()
      }
    },
    async close() {
      server.closeAllConnections()
      server.close()
      await auth.close()
      await Promise.all([idp.close(), context.stop()])
    },
  }
}

function declareWhenHeadersLeave(response: ServerResponse, value: string): void {
  const writeHead = response.writeHead.bind(response) as (...args: unknown[]) => ServerResponse
  response.writeHead = (...args: unknown[]) => {
    for (const name of CACHE_FIELDS) response.setHeader(name, value)
    return writeHead(...args)
  }
}

async function plainContext(): Promise<Context> {
  const server = await startRedisServer()
  return { options: { url: server.url }, primaries: [server], stop: () => server.stop() }
}

async function dataCommands({ primaries }: Context): Promise<number> {
  const stats = (await Promise.all(primaries.map((server) => server.cli('info', 'commandstats')))).join('\n')
  const counts = [...stats.matchAll(/^cmdstat_([\w]+)(?:\|\w+)?:calls=(\d+)/gm)]
  return counts.filter(([, name]) => !NO_DATA.has(name ?? '')).reduce((sum, [, , calls]) => sum + Number(calls), 0)
}
