import { describe, expect, it } from 'vitest'
import { RedisError } from '../core/errors.ts'
import { MemorySpace } from '../stores/memory/space.ts'
import { createFakeClock } from '../testing/fake-clock.ts'
import { tokenFixture } from '../testing/token-fixture.ts'
import { createMemoryTokenDriver } from '../stores/memory/token-driver.ts'
import type { TokenDriver } from './token-driver.ts'

const HOUR = 3_600_000

/** `away`: the store answers nothing. `mute`: the write happens, but its answer is lost. */
type Store = 'there' | 'away' | 'mute'

function setup() {
  const clock = createFakeClock()
  const inner = createMemoryTokenDriver(new MemorySpace({ clock }))
  const state: { store: Store; writes: number } = { store: 'there', writes: 0 }
  const ask = async <T>(call: () => Promise<T>, isWrite: boolean): Promise<T> => {
    if (isWrite) state.writes++
    if (state.store === 'away') throw new RedisError('COATCHECK_REDIS_UNREACHABLE')
    const answer = await call()
    if (state.store === 'mute' && isWrite) throw new RedisError('COATCHECK_REDIS_TIMEOUT')
    return answer
  }
  const driver: TokenDriver = {
    read: (userKey, fields) => ask(() => inner.read(userKey, fields), false),
    readVerified: (...args) => ask(() => inner.readVerified(...args), false),
    readOne: (userKey, field) => ask(() => inner.readOne(userKey, field), false),
    readAll: (userKey) => ask(() => inner.readAll(userKey), false),
    write: (userKey, change) => ask(() => inner.write(userKey, change), true),
    takeLease: (userKey, claim) => ask(() => inner.takeLease(userKey, claim), false),
    renewLease: (userKey, claim) => ask(() => inner.renewLease(userKey, claim), false),
    releaseLease: (userKey, claim) => ask(() => inner.releaseLease(userKey, claim), false),
    watchLeases: (userKey, listener) => inner.watchLeases(userKey, listener),
    delete: (userKey, selection, expect) => ask(() => inner.delete(userKey, selection, expect), true),
  }
  const fixture = tokenFixture({ driver, clock })
  const elsewhere = tokenFixture({ driver: inner, clock })
  const signIn = () =>
    fixture.cache.setUserTokens('ada', {
      accessToken: 'access-0',
      refreshToken: 'refresh-0',
      idToken: 'id-0',
      expiresAt: clock.now() + HOUR,
    })
  /** An expired token, a provider that has rotated, and a store that stops answering before the commit. */
  const refreshDuring = async (store: Store) => {
    await signIn()
    clock.advance(HOUR)
    let open = (): void => undefined
    fixture.provider.gate = new Promise<void>((resolve) => (open = resolve))
    const token = fixture.cache.getAccessToken('ada')
    while (fixture.provider.requests.length === 0) await new Promise(setImmediate)
    state.store = store
    open()
    return token
  }
  return { ...fixture, clock, state, elsewhere, inner, signIn, refreshDuring }
}

describe('a store that is gone between the answer of the provider and the commit', () => {
  it('keeps the rotated grant, serves it, and saves it when the store is back', async () => {
    const { cache, clock, state, elsewhere, provider, refreshDuring, seen } = setup()
    expect((await refreshDuring('away')).accessToken).toBe('access-1')
    expect(seen.some(({ name }) => name === 'token.grant-kept')).toBe(true)
    expect((await cache.getAccessToken('ada')).accessToken).toBe('access-1')
    clock.advance(3000)
    expect((await cache.getAccessToken('ada')).accessToken).toBe('access-1')
    expect((await elsewhere.cache.getUserTokens('ada'))?.refreshToken).toBe('refresh-0')

    state.store = 'there'
    clock.advance(3000)
    expect((await cache.getAccessToken('ada')).accessToken).toBe('access-1')
    expect((await elsewhere.cache.getUserTokens('ada'))?.refreshToken).toBe('refresh-1')
    expect((await elsewhere.cache.getAccessToken('ada')).accessToken).toBe('access-1')
    expect(provider.requests).toHaveLength(1)
  })

  it('saves it without anybody asking', async () => {
    const { state, elsewhere, refreshDuring, runScheduled } = setup()
    await refreshDuring('away')
    runScheduled()
    await new Promise(setImmediate)
    state.store = 'there'
    runScheduled()
    await new Promise(setImmediate)
    expect((await elsewhere.cache.getUserTokens('ada'))?.refreshToken).toBe('refresh-1')
  })

  it('saves it when it is closed', async () => {
    const { cache, state, elsewhere, refreshDuring } = setup()
    await refreshDuring('away')
    state.store = 'there'
    await cache.close()
    expect((await elsewhere.cache.getUserTokens('ada'))?.refreshToken).toBe('refresh-1')
  })

  it('refreshes on from the kept grant, for the same and for another target, and saves all of it at once', async () => {
    const { cache, clock, state, elsewhere, provider, refreshDuring } = setup()
    await refreshDuring('away')
    expect((await cache.getAccessToken('ada', { resource: 'https://a.example' })).accessToken).toBe('access-2')
    clock.advance(HOUR)
    expect((await cache.getAccessToken('ada')).accessToken).toBe('access-3')
    expect(provider.requests.map(({ request }) => request.refreshToken)).toEqual([
      'refresh-0',
      'refresh-1',
      'refresh-2',
    ])
    state.store = 'there'
    clock.advance(3000)
    await cache.getAccessToken('ada')
    const stored = await elsewhere.cache.getUserTokens('ada')
    expect(stored).toMatchObject({ accessToken: 'access-3', refreshToken: 'refresh-3', idToken: 'id-0' })
  })

  it('knows its own commit again when only the answer was lost', async () => {
    const { cache, clock, state, elsewhere, provider, refreshDuring } = setup()
    await refreshDuring('mute')
    expect((await elsewhere.cache.getUserTokens('ada'))?.refreshToken).toBe('refresh-1')
    // A second refresh on top of the one with the unknown outcome.
    expect((await cache.getAccessToken('ada', { resource: 'https://a.example' })).accessToken).toBe('access-2')
    state.store = 'there'
    clock.advance(3000)
    await cache.getAccessToken('ada')
    expect((await elsewhere.cache.getUserTokens('ada'))?.refreshToken).toBe('refresh-2')
    expect((await elsewhere.cache.status('ada'))[0]?.resources).toHaveLength(2)
    expect(provider.requests).toHaveLength(2)
  })

  it('saves nothing onto what was deleted or signed in anew meanwhile', async () => {
    const deleted = setup()
    await deleted.refreshDuring('away')
    await deleted.elsewhere.cache.deleteUserTokens('ada')
    deleted.state.store = 'there'
    deleted.clock.advance(3000)
    await expect(deleted.cache.getAccessToken('ada')).rejects.toMatchObject({ code: 'COATCHECK_TOKEN_NONE' })
    expect((await deleted.inner.readAll(deleted.keyring.userKey('ada'))).size).toBe(0)

    const renewed = setup()
    await renewed.refreshDuring('away')
    await renewed.elsewhere.cache.setUserTokens('ada', {
      accessToken: 'new',
      refreshToken: 'refresh-new',
      expiresAt: renewed.clock.now() + HOUR,
    })
    renewed.state.store = 'there'
    renewed.clock.advance(3000)
    expect((await renewed.cache.getAccessToken('ada')).accessToken).toBe('new')
    expect((await renewed.elsewhere.cache.getUserTokens('ada'))?.refreshToken).toBe('refresh-new')
  })

  it('does not ask the provider at all while the store cannot be read', async () => {
    const { cache, clock, state, provider, signIn } = setup()
    await signIn()
    clock.advance(HOUR)
    state.store = 'away'
    await expect(cache.getAccessToken('ada')).rejects.toMatchObject({ code: 'COATCHECK_REDIS_UNREACHABLE' })
    expect(provider.requests).toHaveLength(0)
  })

  it('ends a kept grant that the provider refuses', async () => {
    const { cache, provider, refreshDuring } = setup()
    await refreshDuring('away')
    provider.answers.push({ status: 400, error: 'invalid_grant' })
    await expect(cache.getAccessToken('ada', { resource: 'https://a.example' })).rejects.toMatchObject({
      code: 'COATCHECK_REAUTH_REQUIRED',
    })
  })
})
