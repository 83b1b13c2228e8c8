/** Strict rotation over four processes: of any number of callers one request leaves, and the grant lives on. */
import * as openid from 'openid-client'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type DevProvider, startDevProvider } from '../../src/dev/index.ts'
import {
  type Answer,
  expiredTokens,
  failuresOf,
  startTokenEndpoint,
  startTokenWorld,
  tokensOf,
  type TokenEndpoint,
  type TokenWorld,
} from '../support/token-instances.ts'

const redirectUri = 'http://localhost:3000/auth/callback'

const askAll = async (world: TokenWorld, userId: string, callers: number): Promise<readonly Answer[]> =>
  (await Promise.all(world.instances.map((instance) => instance.ask(userId, {}, callers)))).flat()

/** The access token of the user expires; what is stored of the grant goes on. */
async function expire({ instances: [first] }: TokenWorld, userId: string): Promise<void> {
  const stored = await first?.find(userId)
  await first?.store([{ userId, tokens: expiredTokens(stored?.refreshToken ?? '') }])
}

describe('an endpoint with strict rotation', () => {
  let endpoint: TokenEndpoint & { stop(): Promise<void> }
  let world: TokenWorld
  beforeAll(async () => {
    endpoint = await startTokenEndpoint('strict')
    world = await startTokenWorld(endpoint)
  })
  afterAll(async () => {
    await Promise.all([world.stop(), endpoint.stop()])
  })

  const rounds = { 2: 120, 20: 60, 200: 20 }
  for (const [callers, count] of Object.entries(rounds)) {
    it(`sees one request of ${callers} callers in each of 4 processes, ${String(count)} rounds of one grant`, async () => {
      const userId = `of-${callers}`
      const [refreshToken = ''] = await endpoint.issue([userId])
      await world.instances[0]?.store([{ userId, tokens: expiredTokens(refreshToken) }])
      for (let round = 0; round < count; round++) {
        if (round > 0) await expire(world, userId)
        await endpoint.clear()
        const answers = await askAll(world, userId, Number(callers))
        expect(failuresOf(answers)).toEqual([])
        expect(answers).toHaveLength(4 * Number(callers))
        expect(tokensOf(answers)).toHaveLength(1)
        expect(await endpoint.requests()).toHaveLength(1)
      }
      expect(await endpoint.isAlive(userId)).toBe(true)
    }, 60_000)
  }
})

describe('the development provider with strict rotation', () => {
  const names = Array.from({ length: 10 }, (_, i) => `api://api-${String(i)}`)
  const apis = names.map((audience) => ({ audience, scopes: ['Read'] }))
  const scopes = ['openid', 'profile', 'offline_access', ...names.map((name) => `${name}/Read`)]
  let provider: DevProvider
  let world: TokenWorld
  beforeAll(async () => {
    provider = await startDevProvider({ rotation: 'strict', apis })
    const { issuer, clientId, clientSecret } = provider
    world = await startTokenWorld({ issuer, clientId, clientSecret, scopes })
  })
  afterAll(async () => {
    await world.stop()
    await provider.close()
  })

  /** Follows the provider's redirects with its cookies, to the callback. */
  async function signIn(): Promise<string> {
    const config = await openid.discovery(
      new URL(provider.issuer),
      provider.clientId,
      provider.clientSecret,
      undefined,
      {
        // eslint-disable-next-line @typescript-eslint/no-deprecated -- marked so that it stands out; the provider is on loopback
        execute: [openid.allowInsecureRequests],
      },
    )
    const verifier = openid.randomPKCECodeVerifier()
    const cookies = new Map<string, string>()
    let url = openid.buildAuthorizationUrl(config, {
      redirect_uri: redirectUri,
      scope: scopes.join(' '),
      login_hint: 'ada@example.test',
      code_challenge: await openid.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
    })
    while (!url.href.startsWith(redirectUri)) {
      const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ')
      const response = await fetch(url, { redirect: 'manual', headers: { cookie } })
      for (const line of response.headers.getSetCookie()) {
        const [name = '', value = ''] = (line.split(';')[0] ?? '').split(/=(.*)/)
        cookies.set(name, value)
      }
      const location = response.headers.get('location')
      if (location === null) throw new Error(`the provider shows a page with status ${response.status}`)
      url = new URL(location, url)
    }
    const tokens = await openid.authorizationCodeGrant(config, url, {
      pkceCodeVerifier: verifier,
      idTokenExpected: true,
    })
    return tokens.refresh_token ?? ''
  }
  const requests = (): number => provider.counters.count('token', 'refresh_token')

  for (const callers of [2, 20, 200]) {
    it(`sees one request of ${String(callers)} callers in each of 4 processes, 5 rounds of one grant`, async () => {
      const userId = `of-${String(callers)}`
      await world.instances[0]?.store([{ userId, tokens: expiredTokens(await signIn()) }])
      for (let round = 0; round < 5; round++) {
        if (round > 0) await expire(world, userId)
        const before = requests()
        const answers = await askAll(world, userId, callers)
        expect(failuresOf(answers)).toEqual([])
        expect(tokensOf(answers)).toHaveLength(1)
        expect(requests() - before).toBe(1)
      }
    })
  }

  it('is asked once for each of 10 resources that 4 processes want at once; each caller gets its own, all are kept', async () => {
    const userId = 'many'
    await world.instances[0]?.store([{ userId, tokens: expiredTokens(await signIn()) }])
    const before = requests()
    const calls = names.map((name) => ({ userId, options: { scopes: [`${name}/Read`] } }))
    const answers = await Promise.all(world.instances.map((instance) => instance.askEach(calls)))
    for (const ofOne of answers) {
      expect(failuresOf(ofOne)).toEqual([])
      expect(ofOne.map(({ token }) => audienceOf(token ?? ''))).toEqual(names)
    }
    expect(requests() - before).toBe(10)
    const [status] = (await world.instances[3]?.status(userId)) ?? []
    const kept = status?.resources.map(({ resource }) => resource) ?? []
    expect(kept).toEqual(expect.arrayContaining(names.map((name) => `${name}/Read`)))
    // The chain is intact: the stored refresh token is the one that the provider takes.
    const [next] = (await world.instances[2]?.ask(userId)) ?? []
    expect(next?.code).toBeNull()
    expect(requests() - before).toBe(11)
  })
})

function audienceOf(token: string): unknown {
  return (JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as { aud: unknown }).aud
}
