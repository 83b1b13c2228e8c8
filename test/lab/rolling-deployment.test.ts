/**
 * A rolling deployment: an earlier build in one process, the present one in this process, on one Redis and one provider with strict
 * rotation. The lab runs it with two earlier builds. F27 of docs/faults.md.
 */
import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Coatcheck, coatcheck } from '../../src/app/coatcheck.ts'
import { type DevProvider, startDevProvider } from '../../src/dev/dev-provider.ts'
import { memoryStore } from '../../src/stores/memory/memory-store.ts'
import { oidc } from '../../src/oidc/provider.ts'
import { redisStore } from '../../src/stores/redis/redis-store.ts'
import type { TokenSet } from '../../src/token/types.ts'
import { oldBuild, type OldBuild } from '../support/old-build.ts'
import { type RedisServer, startRedisServer } from '../support/redis-server.ts'
import { type SessionProcess, startSessionProcess } from '../support/session-process.ts'
import { Browser } from '../support/test-app.ts'
import { startTokenProcesses, type TokenProcess } from '../support/token-processes.ts'
import { PATIENT } from './limits.ts'
import { isLab } from './report.ts'

const BEFORE_SUBJECTS = { commit: 'b963587', what: 'which stores grants without their subject' }
const BEFORE_BRIDGES = { commit: '8281c40', what: 'which stores the older field names of a grant' }
const EARLIER = isLab ? [BEFORE_SUBJECTS, BEFORE_BRIDGES] : [BEFORE_SUBJECTS]
const BUILD_TIMEOUT_MS = 300_000
const GRANTS = isLab ? 50 : 8
const SESSIONS = isLab ? 300 : 40
/** Each is refreshed for its own access token, in turn by the earlier and the present build. */
const TARGETS = [
  { scopes: ['api://orders/Orders.Read'] },
  { scopes: ['api://reports/Reports.Read'] },
  { scopes: ['api://orders/Orders.Write'] },
  { scopes: ['api://orders/Orders.Read', 'api://orders/Orders.Write'] },
]

const baseUrl = 'https://tokens.example'
const keys = randomBytes(32).toString('base64')
describe.each(EARLIER)('beside build $commit, $what', ({ commit }) => {
  const noHistory = `the history of this clone does not reach ${commit}`
  let earlier: OldBuild | null
  let redis: RedisServer
  let idp: DevProvider
  let present: Coatcheck<Record<string, unknown>>
  let earlierTokens: TokenProcess
  let earlierSessions: SessionProcess

  beforeAll(async () => {
    earlier = await oldBuild(commit)
    if (earlier === null) return
    ;[redis, idp] = await Promise.all([startRedisServer(), startDevProvider({ rotation: 'strict' })])
    const { issuer, clientId, clientSecret } = idp
    present = coatcheck({
      baseUrl,
      keys,
      store: redisStore({ url: redis.url, ...PATIENT }),
      providers: [oidc({ name: 'idp', issuer, clientId, clientSecret })],
    })
    const settings = { redisUrl: redis.url, issuer, clientId, clientSecret, keys, app: earlier.tokenApp }
    const [tokenProcess] = await startTokenProcesses(1, settings)
    if (!tokenProcess) throw new Error('no process')
    earlierTokens = tokenProcess
    earlierSessions = await startSessionProcess(keys, redis.url, {}, earlier.sessionApp)
    await present.ready()
  }, BUILD_TIMEOUT_MS)
  afterAll(async () => {
    if (earlier === null) return
    await Promise.all([earlierTokens.stop(), earlierSessions.end('SIGKILL'), present.close(), idp.close()])
    await redis.stop()
  })

  /** Tokens of a new grant at the provider, from a sign-in in an application of its own. */
  async function newTokens(): Promise<TokenSet> {
    const { issuer, clientId, clientSecret } = idp
    const application = coatcheck({
      store: memoryStore(),
      providers: [oidc({ name: 'idp', issuer, clientId, clientSecret })],
      signIn: { userId: () => 'ada' },
    })
    const config = { baseUrl: new URL('http://localhost:3000') }
    const browser = new Browser({ config, routes: (request) => application.handler(request) })
    expect((await browser.signIn()).status).toBe(303)
    const tokens = await application.tokens.getUserTokens('ada')
    await application.close()
    if (!tokens) throw new Error('the sign-in brought no tokens')
    return {
      accessToken: 'expired',
      refreshToken: tokens.refreshToken,
      idToken: tokens.idToken,
      expiresAt: Date.now() - 1,
    }
  }

  async function accessTokenFrom(build: 'earlier' | 'present', user: string, options: object): Promise<string> {
    if (build === 'present') return (await present.tokens.getAccessToken(user, options)).accessToken
    const [result] = await earlierTokens.ask('get', { user, options })
    return result?.accessToken ?? result?.code ?? ''
  }

  test('a grant of either build is refreshed by both in turn, and none is lost', async (context) => {
    if (earlier === null) return context.skip(noHistory)
    let refreshes = 0
    for (let i = 0; i < GRANTS; i++) {
      const user = `user-${i}`
      const tokens = await newTokens()
      const { idToken, ...withoutIdToken } = tokens
      // Half of them begin at the earlier build, and half of those without an ID token.
      if (i % 2 === 0) await earlierTokens.ask('set', { user, tokens: i % 4 === 0 ? tokens : withoutIdToken })
      else await present.tokens.setUserTokens(user, i % 4 === 1 ? tokens : withoutIdToken)
      for (const [turn, target] of TARGETS.entries()) {
        const build = (i + turn) % 2 === 0 ? 'present' : 'earlier'
        const accessToken = await accessTokenFrom(build, user, target)
        expect(accessToken).toMatch(/^ey/)
        // The other build finds what this one has stored.
        expect(await accessTokenFrom(build === 'present' ? 'earlier' : 'present', user, target)).toBe(accessToken)
        refreshes++
      }
      expect(idToken).not.toBeNull()
    }
    expect(idp.counters.count('token')).toBe(GRANTS + refreshes)
  })

  test('a session of either build is found, written and ended by both', async (context) => {
    if (earlier === null) return context.skip(noHistory)
    const users = Array.from({ length: SESSIONS }, (_, i) => `visitor-${i}`)
    const made = await earlierSessions.ask('create', { users, data: { by: 'earlier' } })
    for (const [i, { ticket }] of made.entries()) {
      await present.sessions.update(ticket, (draft) => void (draft['also'] = 'present'))
      const { ticket: own } = await present.sessions.create({ userId: users[i] ?? '', data: { by: 'present' } })
      await earlierSessions.ask('update', { ticket: own, data: { also: 'earlier' } })
      expect(await earlierSessions.ask('find', { tickets: [ticket, own] })).toEqual([
        { user: users[i], data: { by: 'earlier', also: 'present' } },
        { user: users[i], data: { by: 'present', also: 'earlier' } },
      ])
      expect({ ...(await present.sessions.find(own)).session?.data }).toEqual({ by: 'present', also: 'earlier' })
    }
    const ids = made.map(({ id }) => id)
    const half = ids.length / 2
    await earlierSessions.ask('end', { ids: ids.slice(0, half) })
    for (const id of ids.slice(half)) expect((await present.sessions.revoke(id)).count).toBe(1)
    for (const { ticket } of made) expect(await present.sessions.find(ticket)).toMatchObject({ reason: 'revoked' })
    const found = await earlierSessions.ask('find', { tickets: made.map(({ ticket }) => ticket) })
    expect(found.filter(({ reason }) => reason !== 'revoked')).toEqual([])
  })
})
