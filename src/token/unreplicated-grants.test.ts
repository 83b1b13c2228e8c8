import { describe, expect, it } from 'vitest'
import { MemorySpace } from '../stores/memory/space.ts'
import { createFakeClock } from '../testing/fake-clock.ts'
import { tokenFixture } from '../testing/token-fixture.ts'
import { createMemoryTokenDriver } from '../stores/memory/token-driver.ts'
import type { TokenDriver } from './token-driver.ts'

const HOUR = 3_600_000

/** Two servers. The second takes over, with the data that the first had at the last replication. */
function setup() {
  const clock = createFakeClock()
  const server = (): TokenDriver => createMemoryTokenDriver(new MemorySpace({ clock }))
  let current = server()
  const state = { isAcknowledged: false, back: (): void => undefined, whileWaiting: (): void => undefined }
  const driver: TokenDriver = {
    isDurable: true,
    read: (...args) => current.read(...args),
    readVerified: (...args) => current.readVerified(...args),
    readOne: (...args) => current.readOne(...args),
    readAll: (...args) => current.readAll(...args),
    async write(userKey, change) {
      const written = await current.write(userKey, change)
      if (change.lasting) state.whileWaiting()
      return written.status === 'done' && change.lasting ? { ...written, durable: state.isAcknowledged } : written
    },
    takeLease: (...args) => current.takeLease(...args),
    renewLease: (...args) => current.renewLease(...args),
    releaseLease: (...args) => current.releaseLease(...args),
    watchLeases: (...args) => current.watchLeases(...args),
    delete: async (...args) => ({ ...(await current.delete(...args)), durable: state.isAcknowledged }),
    whenBack: (listener) => (state.back = listener),
  }
  const mine = tokenFixture({ driver, clock })
  const { whenBack: _, ...elsewhere } = driver
  const others = tokenFixture({ driver: { ...elsewhere, isDurable: false }, clock })
  /** @returns a function that makes the replica, as it is now, the server */
  const replicate = async (): Promise<() => void> => {
    const replica = server()
    const all = await current.readAll(mine.keyring.userKey('ada'))
    const set = new Map([...all].map(([field, record]) => [field, { record: Buffer.from(record), ttlMs: 10 * HOUR }]))
    if (set.size > 0) await replica.write(mine.keyring.userKey('ada'), { set })
    return () => {
      current = replica
      state.back()
    }
  }
  const signIn = (number = 0, cache = mine.cache) =>
    cache.setUserTokens('ada', {
      accessToken: `access-${number}`,
      refreshToken: `refresh-${number}`,
      expiresAt: clock.now() - 1000,
    })
  const stored = async () => (await others.cache.getUserTokens('ada'))?.refreshToken ?? null
  return { ...mine, others, clock, state, replicate, signIn, stored }
}

const shortPause = () => new Promise((resolve) => setTimeout(resolve, 10))

describe('a grant that no replica has acknowledged', () => {
  it('is stored again when a failover brings the one before back, without anybody asking', async () => {
    const { cache, signIn, replicate, stored, names } = setup()
    await signIn()
    const promote = await replicate()
    expect((await cache.getAccessToken('ada')).accessToken).toBe('access-1')
    promote()
    await shortPause()
    expect(await stored()).toBe('refresh-1')
    expect(names()).toContain('token.grant-restored')
  })

  it('is stored again when the failover was heard of while the replica was still waited for', async () => {
    const { cache, state, signIn, replicate, stored } = setup()
    await signIn()
    state.whileWaiting = await replicate()
    await cache.getAccessToken('ada')
    await shortPause()
    expect(await stored()).toBe('refresh-1')
  })

  it('is what this process uses at once, however old what is stored', async () => {
    const { cache, provider, signIn, replicate } = setup()
    await signIn()
    const promote = await replicate()
    await cache.getAccessToken('ada')
    promote()
    expect((await cache.getUserTokens('ada'))?.refreshToken).toBe('refresh-1')
    expect((await cache.getAccessToken('ada')).accessToken).toBe('access-1')
    expect(provider.requests).toHaveLength(1)
  })

  it('is not lost when the next refresh was under way during the failover', async () => {
    const { cache, clock, provider, signIn, replicate, stored } = setup()
    await signIn()
    const promote = await replicate()
    await cache.getAccessToken('ada')
    clock.advance(HOUR)
    let answer = (): void => undefined
    provider.gate = new Promise<void>((resolve) => (answer = resolve))
    const second = cache.getAccessToken('ada')
    while (provider.requests.length < 2) await shortPause()
    promote()
    answer()
    expect((await second).accessToken).toBe('access-2')
    await shortPause()
    expect(await stored()).toBe('refresh-2')
    expect(provider.requests.map(({ request }) => request.refreshToken)).toEqual(['refresh-0', 'refresh-1'])
  })

  it('takes the place of the sign-in that it replaced, and of no other', async () => {
    const { signIn, replicate, stored } = setup()
    await signIn(1)
    const promote = await replicate()
    await signIn(2)
    promote()
    await shortPause()
    expect(await stored()).toBe('refresh-2')
  })

  it('does not come back when there is nothing, nor in place of what others have stored', async () => {
    const { cache, others, state, signIn, replicate, stored } = setup()
    const empty = await replicate()
    await signIn()
    await cache.getAccessToken('ada')
    empty()
    await shortPause()
    expect(await stored()).toBeNull()
    await signIn(7, others.cache)
    state.back()
    await shortPause()
    expect(await stored()).toBe('refresh-7')
  })

  it('is forgotten once something later is durable', async () => {
    const { cache, clock, state, signIn, replicate, stored } = setup()
    await signIn()
    const promote = await replicate()
    await cache.getAccessToken('ada')
    state.isAcknowledged = true
    clock.advance(HOUR)
    await cache.getAccessToken('ada')
    promote()
    await shortPause()
    expect(await stored()).toBe('refresh-0')
  })
})

describe('an ending that no replica has acknowledged', () => {
  it('is applied again to the sign-in that it ended', async () => {
    const { cache, signIn, replicate, stored } = setup()
    await signIn()
    const promote = await replicate()
    await cache.deleteUserTokens('ada')
    promote()
    expect(await cache.getUserTokens('ada')).toBeNull()
    await shortPause()
    expect(await stored()).toBeNull()
  })

  it('leaves a later sign-in alone', async () => {
    const { cache, others, state, signIn, replicate, stored } = setup()
    await signIn()
    const promote = await replicate()
    await cache.deleteUserTokens('ada')
    promote()
    await shortPause()
    await signIn(5, others.cache)
    state.back()
    await shortPause()
    expect(await stored()).toBe('refresh-5')
  })
})
