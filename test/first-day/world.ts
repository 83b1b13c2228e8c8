/**
 * The environment of each mistake: a real Redis, the local provider, and a signed-in user with data and tokens. That user is the
 * witness: no mistake may lose or change the data of the witness.
 */
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { vi } from 'vitest'
import { type Coatcheck, coatcheck } from '../../src/app/coatcheck.ts'
import type { Options, ProviderOptions } from '../../src/config/types.ts'
import { type DevProvider, startDevProvider } from '../../src/entries/dev.ts'
import { entra } from '../../src/oidc/entra.ts'
import { oidc } from '../../src/oidc/provider.ts'
import { redisStore } from '../../src/stores/redis/redis-store.ts'
import type { Session } from '../../src/session/types.ts'
import type { Canary } from '../support/canaries.ts'
import { freePort, type RedisServer, startRedisServer } from '../support/redis-server.ts'
import { Browser } from '../support/test-app.ts'

const BASE_URL = 'http://localhost:3000'
const DATA = { theme: 'light', items: ['tea'] }

/** `undefined`: the setting is left out. */
type Over = { readonly [option in keyof Options]?: Options[option] | undefined }

export interface World {
  readonly auth: Coatcheck<Record<string, unknown>>
  readonly redis: RedisServer
  /** Wants a password. */
  readonly locked: RedisServer
  /** Nothing listens there. */
  readonly emptyPort: number
  readonly provider: DevProvider
  readonly key: string
  /** The ticket of the witness. */
  readonly ticket: string
  readonly userId: string
  /** Everything that may stand in no text. */
  readonly secrets: readonly Canary[]
  /** A right configuration, and what is wrong about it this time. */
  options(over?: Over): Options
  /** The session of the witness as the store has it now. */
  session(): Promise<Session<Record<string, unknown>>>
  /** Data and tokens of the witness, and how many keys there are. */
  inventory(): Promise<{ readonly data: unknown; readonly hasTokens: boolean; readonly keys: string }>
  /** Variables for one mistake. All that Coatcheck knows are unset before. */
  setVariables(variables: Readonly<Record<string, string>>): void
  /** Starts an application with these options, and ends it. */
  start(options: Options, provider?: boolean): Promise<void>
  /** An empty folder, which is the working directory until the end of the mistake. */
  folder(): string
  /** Runs at the end of the mistake. */
  later(close: () => unknown): void
  cleanUp(): Promise<void>
  close(): Promise<void>
}

export async function createWorld(): Promise<World> {
  const password = `p#ss@${randomBytes(12).toString('hex')}`
  const [redis, locked] = await Promise.all([
    startRedisServer(),
    startRedisServer({ args: ['--requirepass', password] }),
  ])
  const provider = await startDevProvider()
  const key = randomBytes(32).toString('base64')
  const options = (over: Over = {}): Options => ({
    baseUrl: BASE_URL,
    keys: key,
    store: redisStore({ url: redis.url }),
    providers: [oidcOf(provider)],
    ...(over as Partial<Options>),
  })
  const auth = coatcheck(options())
  await auth.ready()
  const browser = new Browser({ config: { baseUrl: new URL(BASE_URL) }, routes: auth.handler })
  await browser.signIn()
  const ticket = browser.cookies.get(BASE_URL)?.get('coatcheck') ?? ''
  const session = async (): Promise<Session<Record<string, unknown>>> => {
    const found = await auth.sessions.find(ticket)
    if (!found.session) throw new Error(`The session of the witness is gone: ${found.reason}.`)
    return found.session
  }
  const witness = await session()
  for (const [field, value] of Object.entries(DATA)) await witness.set(field, value)
  const userId = witness.user?.id ?? ''
  const tokens = await auth.tokens.getUserTokens(userId)
  const closing: (() => unknown)[] = []
  return {
    ...{ auth, redis, locked, provider, key, ticket, userId, options, session },
    emptyPort: await freePort(),
    secrets: [
      { kind: 'key', value: key },
      { kind: 'ticket', value: ticket },
      { kind: 'client secret', value: provider.clientSecret },
      { kind: 'password', value: password },
      { kind: 'refresh token', value: tokens?.refreshToken ?? '' },
    ],
    async inventory() {
      const { data } = (await session()).toJSON()
      const hasTokens = ((await auth.tokens.getUserTokens(userId))?.refreshToken ?? null) !== null
      return { data, hasTokens, keys: await redis.cli('dbsize') }
    },
    setVariables(variables) {
      for (const [name, value] of Object.entries(variables)) vi.stubEnv(name, value)
    },
    async start(given, askProvider = false) {
      const application = coatcheck(given)
      try {
        await application.ready({ provider: askProvider })
      } finally {
        await application.close()
      }
    },
    folder() {
      const before = process.cwd()
      const made = mkdtempSync(join(tmpdir(), 'coatcheck-first-day-'))
      closing.push(() => {
        process.chdir(before)
        rmSync(made, { recursive: true })
      })
      process.chdir(made)
      return made
    },
    later: (close) => void closing.push(close),
    async cleanUp() {
      vi.unstubAllEnvs()
      for (const close of closing.splice(0).reverse()) await close()
    },
    async close() {
      await auth.close()
      await Promise.all([provider.close(), redis.stop(), locked.stop()])
    },
  }
}

export function oidcOf({ issuer, clientId, clientSecret }: DevProvider, over: Partial<ProviderOptions> = {}) {
  return { ...oidc({ name: 'dev', issuer, clientId, clientSecret }), ...over }
}

/** As Entra ID is configured in practice: from the environment. The issuer alone leads to the local provider. */
export function entraFrom(world: World, over: Readonly<Record<string, string | undefined>> = {}): ProviderOptions {
  const { tenantId, clientId, clientSecret, url, issuer } = world.provider
  const given: Record<string, string | undefined> = {
    ...{ AZURE_AD_TENANT_ID: tenantId, AZURE_AD_CLIENT_ID: clientId, AZURE_AD_CLIENT_SECRET: clientSecret },
    ...over,
  }
  for (const [name, value] of Object.entries(given)) vi.stubEnv(name, value)
  // The template asks for the tenant id; with the issuer itself the id is not asked for.
  return entra({ issuer: over['AZURE_AD_TENANT_ID'] === undefined ? issuer : `${url}/{tenantid}/v2.0` })
}
