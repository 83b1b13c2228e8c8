/**
 * The cache plugin under MSAL itself, majors 5, 6 and 7, in several processes on one Redis: what the usual plugin loses is kept,
 * and nobody sees anybody else's.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import type { ICachePlugin as Plugin7 } from '@azure/msal-node'
import type { ICachePlugin as Plugin5 } from 'msal5'
import type { ICachePlugin as Plugin6 } from 'msal6'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { msalCachePlugin } from '../../src/app/drop-ins/msal.ts'
import { PATIENT } from '../lab/limits.ts'
import { type RedisServer, startRedisServer } from '../support/redis-server.ts'

const APP = fileURLToPath(new URL('../support/processes/msal-app.mjs', import.meta.url))

interface App {
  ask<T>(operation: string, input?: object): Promise<T>
  stop(): Promise<void>
}

let redis: RedisServer
let endpoint: Server
let requests = 0
/** Requests that the endpoint answers all at once, when that many have come. */
let together = 1
let waiting: (() => void)[] = []
const keys = randomBytes(32).toString('base64')

beforeAll(async () => {
  redis = await startRedisServer()
  // Entra's token endpoint: a code is the name of who signs in.
  endpoint = createServer((request, response) => {
    void (async () => {
      let text = ''
      for await (const chunk of request) text += String(chunk)
      await new Promise<void>((resolve) => {
        waiting.push(resolve)
        if (waiting.length < together) return
        for (const answer of waiting) answer()
        waiting = []
        together = 1
      })
      response.setHeader('content-type', 'application/json')
      response.end(JSON.stringify(tokensFor(new URLSearchParams(text), ++requests)))
    })()
  })
  await new Promise<void>((resolve) => void endpoint.listen(0, '127.0.0.1', resolve))
})
afterAll(async () => {
  endpoint.closeAllConnections()
  endpoint.close()
  await redis.stop()
})

function tokensFor(form: URLSearchParams, number: number): object {
  const scope = form.get('scope') ?? ''
  const access = {
    token_type: 'Bearer',
    expires_in: 3600,
    ext_expires_in: 7200,
    access_token: `secret-access-${number}`,
  }
  if (form.get('grant_type') === 'client_credentials') return access
  const user = form.get('code') ?? form.get('assertion') ?? form.get('refresh_token')?.split('.')[1] ?? ''
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  const now = Math.floor(Date.now() / 1000)
  const idToken = {
    iss: 'https://login.microsoftonline.com/common/v2.0',
    aud: 'app',
    sub: user,
    oid: user,
    tid: 'tenant',
  }
  return {
    ...access,
    scope,
    refresh_token: `secret-refresh-${number}.${user}`,
    client_info: part({ uid: user, utid: 'tenant' }),
    id_token: `${part({ alg: 'none' })}.${part({ ...idToken, preferred_username: user, iat: now, exp: now + 3600 })}.`,
  }
}

async function startApp(msal: string): Promise<App> {
  const { port } = endpoint.address() as AddressInfo
  const child: ChildProcess = fork(APP, {
    // The test runner's own flags resolve the package to its sources.
    execArgv: [],
    env: {
      ...process.env,
      REDIS_URL: redis.url,
      COATCHECK_KEYS: keys,
      STORE: JSON.stringify(PATIENT),
      ENDPOINT: `http://127.0.0.1:${port}/token`,
      MSAL: msal,
    },
  })
  const waiting = new Map<number, (message: { result?: unknown; error?: string }) => void>()
  child.on('message', (message: { id: number; result?: unknown; error?: string }) => waiting.get(message.id)?.(message))
  await once(child, 'message')
  let number = 0
  return {
    ask: <T>(operation: string, input: object = {}) =>
      new Promise<T>((resolve, reject) => {
        waiting.set(++number, ({ result, error }) => {
          if (error === undefined) resolve(result as T)
          else reject(new Error(error))
        })
        child.send({ id: number, operation, input })
      }),
    async stop() {
      child.kill('SIGKILL')
      await once(child, 'exit')
    },
  }
}

describe.each(['msal5', 'msal6', '@azure/msal-node'])('%s', (msal) => {
  let apps: App[] = []
  beforeEach(async () => {
    await redis.cli('flushall')
    apps = await Promise.all(Array.from({ length: 4 }, () => startApp(msal)))
  })
  afterEach(() => Promise.all(apps.map((app) => app.stop())))
  const appOf = (i: number): App => apps[i % apps.length] as App

  test('40 sign-ins over four processes: 40 of 40 accounts kept, sealed, with a life, each its own', async () => {
    const users = Array.from({ length: 40 }, (_, i) => `user-${i}`)
    const homes = await Promise.all(users.map((user, i) => appOf(i).ask<string>('signIn', { user })))
    const found = await Promise.all(homes.map((user, i) => appOf(i + 1).ask<string[]>('accounts', { user })))
    expect(found).toEqual(homes.map((home) => [home]))
    const names = (await redis.cli('keys', '*')).split('\n')
    expect(names).toHaveLength(40)
    for (const name of names) {
      expect(await redis.cli('hvals', name)).not.toMatch(/secret-|user-|login\.microsoftonline/)
      expect(Number(await redis.cli('pttl', name))).toBeGreaterThan(80 * 24 * 3_600_000)
      expect(name).not.toContain('user-')
    }
    expect(await appOf(0).ask('shared', { users: [homes[0], 'nobody', homes[1], ''] })).toEqual([
      [homes[0]],
      [],
      [homes[1]],
      [],
    ])
  })

  test('ten processes that add ten resources to one account keep all ten', async () => {
    const more = await Promise.all(Array.from({ length: 6 }, () => startApp(msal)))
    try {
      const ten = [...apps, ...more]
      const user = await appOf(0).ask<string>('signIn', { user: 'ada' })
      const scopesOf = (i: number): string[] => [`api://resource-${i}/Read`]
      const tokens = await Promise.all(ten.map((app, i) => app.ask<string>('silent', { user, scopes: scopesOf(i) })))
      expect(new Set(tokens).size).toBe(10)
      const before = requests
      const again = await Promise.all(ten.map((_, i) => appOf(i).ask<string>('silent', { user, scopes: scopesOf(i) })))
      expect(again).toEqual(tokens)
      expect(requests).toBe(before)
    } finally {
      await Promise.all(more.map((app) => app.stop()))
    }
  })

  test('two processes that each add 16 scopes to one account at once keep all 32', async () => {
    const user = await appOf(0).ask<string>('signIn', { user: 'ada' })
    const scopes = [0, 1].map((half) => Array.from({ length: 16 }, (_, i) => [`api://resource-${half}-${i}/Read`]))
    together = 32
    const tokens = await Promise.all(scopes.map((all, i) => appOf(i).ask<string[]>('silentTogether', { user, all })))
    const before = requests
    const again = await Promise.all(scopes.map((all, i) => appOf(i + 2).ask<string[]>('silentTogether', { user, all })))
    expect(again).toEqual(tokens)
    expect(requests).toBe(before)
  })

  test('on behalf of two users in turn, one application object asks the provider once for each', async () => {
    const before = requests
    const results = await appOf(0).ask<string[]>('onBehalfOf', { users: ['ada', 'grace'], times: 10 })
    expect(requests - before).toBe(2)
    expect(new Set(results).size).toBe(2)
    for (const [i, user] of ['ada', 'grace'].entries()) {
      expect(await appOf(1).ask('accounts', { user: `${user}.tenant` })).toEqual([`${user}.tenant`])
      // Another process finds it once the partition is loaded.
      const stored = await appOf(1).ask<string[]>('onBehalfOf', { users: [user], times: 1, isLoadedFirst: true })
      expect(stored).toEqual([results[i]])
    }
    expect(requests - before).toBe(2)
  })

  test('a token on behalf of a user goes with the account of the user', async () => {
    const before = requests
    await appOf(0).ask('onBehalfOf', { users: ['ada', 'grace'], times: 2, removed: 'ada' })
    expect(requests - before).toBe(3)
    expect(await appOf(1).ask('accounts', { user: 'ada.tenant' })).toEqual(['ada.tenant'])
  })

  test('users at the same time on one application object stay apart', async () => {
    const users = Array.from({ length: 16 }, (_, i) => `user-${i}`)
    await appOf(0).ask('onBehalfOf', { users, times: 2, isParallel: true })
    for (const user of users)
      expect(await appOf(1).ask('accounts', { user: `${user}.tenant` })).toEqual([`${user}.tenant`])
  })

  test('an account that was removed stays removed while others write', async () => {
    const user = await appOf(0).ask<string>('signIn', { user: 'ada' })
    await Promise.all([
      // Who comes after the removal finds no tokens, and says so: that is no fault.
      ...Array.from({ length: 6 }, (_, i) =>
        appOf(i)
          .ask('silent', { user, scopes: [`api://r-${i}/Read`] })
          .catch((error: unknown) => expect(String(error)).toMatch(/no_tokens_found|no_account/)),
      ),
      appOf(1).ask('remove', { user }),
    ])
    await appOf(1).ask('remove', { user })
    expect(await appOf(2).ask('accounts', { user })).toEqual([])
    expect(await redis.cli('dbsize')).toBe('0')
  })

  test('a token of the application itself is kept as long as it lives', async () => {
    const token = await appOf(0).ask('forApp')
    expect(await appOf(1).ask('forApp')).toBe(token)
    const [name = ''] = (await redis.cli('keys', '*')).split('\n')
    // MSAL adds the extended life to the ordinary one.
    const life = Number(await redis.cli('pttl', name))
    expect(life).toBeGreaterThan(3_000_000)
    expect(life).toBeLessThanOrEqual(10_800_000 + 1000)
  })
})

test('its type is that of all three majors', () => {
  const plugin = msalCachePlugin({ partition: 'one' })
  const all: [Plugin5, Plugin6, Plugin7] = [plugin, plugin, plugin]
  expect(all).toHaveLength(3)
})

test('bad options are refused at once', () => {
  expect(() => msalCachePlugin({} as never)).not.toThrow()
  expect(() => msalCachePlugin({ partition: 7 } as never)).toThrow('partition')
  expect(() => msalCachePlugin({ partition: 'one', ttl: 5 } as never)).toThrow('ttl')
})
