import { expect, test } from 'vitest'
import { createApplicationMemory } from './application-memory.ts'
import type { MsalCacheContext } from './types.ts'

interface Entry {
  readonly [field: string]: unknown
  readonly secret: string
}

const HOUR_S = 3600

/** A fake memory of an application object, in MSAL's two forms: entries by key, and sections of entries. */
function application() {
  const entries = new Map<string, Entry>()
  const tokenCache = {
    storage: {
      getKeys: () => [...entries.keys()],
      getItem: (key: string) => entries.get(key),
      removeItem: (key: string) => entries.delete(key),
      isAuthorityMetadata: (key: string) => key.startsWith('authority'),
    },
    serialize: () => JSON.stringify({ AccessToken: Object.fromEntries(entries) }),
    deserialize: (text: string) => {
      const { AccessToken } = JSON.parse(text) as { AccessToken: Record<string, Entry> }
      for (const [key, entry] of Object.entries(AccessToken)) entries.set(key, entry)
    },
  }
  const request = (): MsalCacheContext => ({ cacheHasChanged: true, tokenCache })
  return { entries, request }
}

const onBehalf = (secret: string, expiresOn = HOUR_S): Entry => ({
  secret,
  credentialType: 'AccessToken',
  userAssertionHash: `hash of ${secret}`,
  expiresOn: String(expiresOn),
})

test('a request waits for the one that holds the memory, and stops waiting for one that failed', async () => {
  const memory = createApplicationMemory(() => 0)
  const { entries, request } = application()
  const [failed, next, last] = [request(), request(), request()]
  await memory.load(failed, 'ada', null)
  entries.set('ada', { secret: 'a' })
  await memory.load(next, 'grace', null)
  expect([...entries.keys()]).toEqual([])
  expect(memory.unload(failed)).toBeNull()
  const loading = memory.load(last, 'ada', null)
  entries.set('grace', { secret: 'g' })
  expect(memory.unload(next)).toEqual({ AccessToken: { grace: { secret: 'g' } } })
  await loading
  expect([...entries.keys()]).toEqual([])
})

test('keeps tokens on behalf of other users in memory until they expire, and hands out none of them', async () => {
  let nowMs = 0
  const memory = createApplicationMemory(() => nowMs)
  const { entries, request } = application()
  const visit = async (partition: string, stored: string | null, add: Record<string, Entry>): Promise<unknown> => {
    const context = request()
    await memory.load(context, partition, stored)
    for (const [key, entry] of Object.entries(add)) entries.set(key, entry)
    return memory.unload(context)
  }
  entries.set('authority', { secret: '' })
  await visit('ada', null, { ada: onBehalf('a'), own: { secret: 'o' } })
  expect(await visit('grace', null, { grace: onBehalf('g', 2 * HOUR_S) })).toMatchObject({
    AccessToken: { grace: onBehalf('g', 2 * HOUR_S) },
  })
  expect([...entries.keys()]).toEqual(['authority', 'ada', 'grace'])
  // The partition itself decides about its tokens, and it is empty by now.
  await visit('ada', null, {})
  expect([...entries.keys()]).toEqual(['authority', 'grace'])
  nowMs = 2 * HOUR_S * 1000
  await visit('ada', null, {})
  expect([...entries.keys()]).toEqual(['authority'])
})

test('keeps no refresh token of another user in memory, though MSAL gives it the hash of an assertion and an expiry', async () => {
  const memory = createApplicationMemory(() => 0)
  const { entries, request } = application()
  const ada = request()
  await memory.load(ada, 'ada', null)
  entries.set('refresh', { ...onBehalf('r'), credentialType: 'RefreshToken' })
  memory.unload(ada)
  const grace = request()
  await memory.load(grace, 'grace', null)
  expect([...entries.keys()]).toEqual([])
  expect(memory.unload(grace)).toEqual({ AccessToken: {} })
})

test('keeps at most 500 tokens on behalf of users', async () => {
  const memory = createApplicationMemory(() => 0)
  const { entries, request } = application()
  for (let i = 0; i < 503; i++) {
    const context = request()
    await memory.load(context, `user-${i}`, null)
    entries.set(`token-${i}`, onBehalf(`secret-${i}`))
    memory.unload(context)
  }
  const context = request()
  await memory.load(context, 'last', null)
  expect(entries.size).toBe(500)
  expect(entries.has('token-2')).toBe(false)
  expect(entries.has('token-3')).toBe(true)
})
