/** The provider has ended a grant: everybody hears it, nobody asks in vain. F22 of docs/faults.md. */
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type RedisServer, startRedisServer } from '../support/redis-server.ts'
import { startTokenEndpoint, type TokenEndpoint } from '../support/token-endpoint.ts'
import { startTokenProcesses, type TokenProcess } from '../support/token-processes.ts'
import { observed } from './report.ts'

const PROCESSES = 4
const CALLERS = 20

let redis: RedisServer
let provider: TokenEndpoint
let processes: TokenProcess[] = []
beforeEach(async () => {
  redis = await startRedisServer()
  provider = await startTokenEndpoint('strict')
  processes = await startTokenProcesses(PROCESSES, { redisUrl: redis.url, issuer: provider.issuer })
})
afterEach(async () => {
  await Promise.all(processes.map((one) => one.stop()))
  await provider.close()
  await redis.stop()
})

test('invalid_grant: all callers of all processes have to sign in again, for few requests, and the tokens are gone', async () => {
  const [first] = processes as [TokenProcess]
  // A refresh token that the provider does not know (any more).
  const tokens = { accessToken: 'old', refreshToken: 'ended-long-ago', expiresAt: Date.now() - 1000 }
  await first.ask('set', { user: 'ada', tokens })
  const everybody = async (): Promise<(string | undefined)[]> => {
    const asked = processes.map((one) => one.ask('get', { user: 'ada', callers: CALLERS }))
    return (await Promise.all(asked)).flat().map(({ code }) => code)
  }
  expect(new Set(await everybody())).toEqual(new Set(['COATCHECK_REAUTH_REQUIRED']))
  const after = provider.requests.length
  expect(after).toBe(1)
  for (let i = 0; i < 5; i++) expect(new Set(await everybody())).toEqual(new Set(['COATCHECK_REAUTH_REQUIRED']))
  expect(provider.requests).toHaveLength(after)
  for (const one of processes) expect(await one.ask('stored', { user: 'ada' })).toBeNull()
  // A new sign-in is a new start.
  const again = { accessToken: 'new', refreshToken: provider.grant('ada'), expiresAt: Date.now() - 1000 }
  await first.ask('set', { user: 'ada', tokens: again })
  expect(new Set(await everybody())).toEqual(new Set([undefined]))
  observed(
    'F22.invalid-grant',
    `${6 * PROCESSES * CALLERS} callers of ${PROCESSES} processes: ${after} request with that grant`,
  )
})
