/** The commands of operators where there is more than one server: behind Sentinel and in a Cluster, by environment alone. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { coatcheck } from '../../src/app/coatcheck.ts'
import { redisStore, type RedisStoreOptions } from '../../src/stores/redis/redis-store.ts'
import { type CommandFolder, commandFolder } from '../support/command-line.ts'
import { startClusterGroup, startSentinelGroup } from '../support/redis-topologies.ts'
import { BOTH_KEYS, OLD_KEY } from '../support/sealed-world.ts'
import { PATIENT } from '../lab/limits.ts'

const USERS = 12
const topologies = [
  {
    form: 'behind Sentinel',
    servers: 1,
    async start() {
      const group = await startSentinelGroup({ replicas: 1, downAfterMs: 60_000 })
      const sentinels = group.sentinels.map(({ port }) => `127.0.0.1:${port}`)
      const url = `redis://${group.name}`
      return { group, options: { url, sentinels }, env: { REDIS_URL: url, REDIS_SENTINELS: sentinels.join(',') } }
    },
  },
  {
    form: 'in a Cluster',
    servers: 3,
    async start() {
      const group = await startClusterGroup({ replicas: 0 })
      const { url } = group
      return { group, options: { url, cluster: true }, env: { REDIS_URL: url, REDIS_CLUSTER: 'true' } }
    },
  },
] as const

describe.each(topologies)('$form', ({ start, servers }) => {
  let at: CommandFolder
  let stop = (): Promise<unknown> => Promise.resolve()
  const ids: string[] = []

  beforeAll(async () => {
    const { group, options, env } = await start()
    stop = () => group.stop()
    at = commandFolder({ ...env, COATCHECK_KEYS: OLD_KEY })
    const store: RedisStoreOptions = { ...PATIENT, ...options }
    const auth = coatcheck({ store: redisStore(store), keys: OLD_KEY, baseUrl: 'http://localhost:3000' })
    await auth.ready()
    for (let i = 0; i < USERS; i++) {
      const { session } = await auth.sessions.create({ userId: `user-${i}` })
      ids.push(session.id ?? '')
      const expiresAt = Date.now() + 3_600_000
      await auth.tokens.setUserTokens(
        `user-${i}`,
        { accessToken: 'a', refreshToken: 'r', expiresAt },
        { provider: 'idp' },
      )
    }
    await auth.close()
  })
  afterAll(async () => {
    at.remove()
    await stop()
  })

  const json = async (line: string): Promise<Record<string, unknown>> => {
    const { code, stdout, stderr } = await at.run([...line.split(' '), '--json'])
    expect(code, stderr).toBe(0)
    return JSON.parse(stdout) as Record<string, unknown>
  }

  test('ping asks each server', async () => {
    expect((await json('ping --count 3'))['servers']).toHaveLength(servers)
  })

  test('what all servers hold is counted', async () => {
    expect(await json('sessions count --exact')).toMatchObject({ count: USERS, isExact: true })
    const { families } = (await json('keys scan --exact')) as { families: { family: string; count: number }[] }
    expect(families.find(({ family }) => family === 'sessions')?.count).toBe(USERS)
    expect(JSON.stringify(await json('stats --exact'))).toContain(String(USERS))
  })

  test('people are found wherever they lie, and ended', async () => {
    for (const i of [0, 1, 2, 3]) {
      const { sessions } = (await json(`sessions list --user user-${i}`)) as { sessions: { id: string }[] }
      expect(sessions.map(({ id }) => id)).toEqual([ids[i]])
      expect(await json(`tokens show --user user-${i}`)).toMatchObject({ command: 'tokens show' })
    }
    await json('sessions revoke --user user-0 --all --yes')
    expect((await at.run(['sessions', 'list', '--user', 'user-0'])).code).toBe(1)
    expect(JSON.stringify(await json(`explain ${ids[0] ?? ''}`))).toContain('ended')
  })

  test('everything is re-encrypted under a new first key', async () => {
    // A session, a grant and a token of each, but for the one who was signed out: of that one, the mark of the revocation.
    const ring = { COATCHECK_KEYS: BOTH_KEYS.join(',') }
    const { code, stdout } = await at.run(['keys', 'rotate', '--yes', '--json'], ring)
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({ isDone: true, reencrypted: (USERS - 1) * 3 + 1 })
    expect(await json('keys repair --yes')).toMatchObject({ command: 'keys repair' })
  })
})
