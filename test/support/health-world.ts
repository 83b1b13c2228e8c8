/**
 * A set-up in which the doctor finds nothing: Redis with limit, policy, append-only file and a user of docs/redis-acl.md, a
 * provider, and an application that answers at its redirect URI. Each prepared fault is one step away from it.
 */
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { once } from 'node:events'
import { coatcheck } from '../../src/app/coatcheck.ts'
import type { Options } from '../../src/config/types.ts'
import { nodeAuth } from '../../src/adapters/node.ts'
import { type DevProvider, startDevProvider } from '../../src/dev/dev-provider.ts'
import { oidc } from '../../src/oidc/provider.ts'
import { redisStore, type RedisStoreOptions } from '../../src/stores/redis/redis-store.ts'
import { freePort, type RedisServer, startRedisServer } from './redis-server.ts'

export interface HealthWorld {
  readonly redis: RedisServer
  readonly provider: DevProvider
  /** Everything that must stand in no report. */
  readonly secrets: readonly { readonly kind: string; readonly value: string }[]
  readonly key: string
  readonly password: string
  readonly store: RedisStoreOptions
  options(over?: Partial<Options>): Options
  /** What is in the store for a while: the application stores something and ends. */
  use(options: Options, work: (auth: ReturnType<typeof coatcheck>) => Promise<unknown>): Promise<void>
  close(): Promise<void>
}

const page = readFileSync('docs/redis-acl.md', 'utf8')
const rules = /ACL SETUSER coatcheck (on >password [^`]+)/.exec(page)?.[1] ?? ''

/** The rules of docs/redis-acl.md for what is in use, as arguments of `ACL SETUSER coatcheck`. */
export function aclRules(password: string, ...features: readonly string[]): string[] {
  const added = ['`coatcheck doctor`', ...features].flatMap((what) => {
    const row = page.split('\n').find((line) => line.startsWith('|') && line.includes(what))
    return (row?.split('`').at(-2) ?? '').replaceAll('\\|', '|').split(' ')
  })
  return [...rules.replace('>password', `>${password}`).trim().split(/\s+/), ...added]
}

export const HEALTHY_ARGUMENTS = ['--maxmemory', '256mb', '--maxmemory-policy', 'noeviction', '--appendonly', 'yes']

export async function createHealthWorld(): Promise<HealthWorld> {
  const password = randomBytes(18).toString('hex')
  const key = randomBytes(32).toString('base64')
  const redis = await startRedisServer({ args: HEALTHY_ARGUMENTS })
  await redis.cli('acl', 'setuser', 'coatcheck', ...aclRules(password))
  const port = await freePort()
  const baseUrl = `http://localhost:${port}`
  const provider = await startDevProvider({ redirectUris: [`${baseUrl}/auth/callback`] })
  const { issuer, clientId, clientSecret } = provider
  const store = { url: redis.url, username: 'coatcheck', password }
  const options = (over: Partial<Options> = {}): Options => ({
    baseUrl,
    keys: `k1:${key}`,
    store: redisStore(store),
    providers: [oidc({ name: 'dev', issuer, clientId, clientSecret })],
    ...over,
  })
  const auth = coatcheck(options())
  const web = nodeAuth(auth)
  const server: Server = createServer((request, response) => {
    void web.handle(request, response).then((isHandled) => isHandled || response.writeHead(404).end())
  })
  await once(server.listen(port, 'localhost'), 'listening')
  return {
    redis,
    provider,
    key,
    password,
    store,
    options,
    secrets: [
      { kind: 'password', value: password },
      { kind: 'key', value: key },
      { kind: 'client secret', value: clientSecret },
    ],
    async use(chosen, work) {
      const other = coatcheck(chosen)
      try {
        await other.ready()
        await work(other)
      } finally {
        await other.close()
      }
    },
    async close() {
      server.close()
      server.closeAllConnections()
      await auth.close()
      await Promise.all([provider.close(), redis.stop()])
    },
  }
}
