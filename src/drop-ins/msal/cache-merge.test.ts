import { describe, expect, it } from 'vitest'
import { endOfUse, mergeCaches, type MsalCache, parseCache } from './cache-merge.ts'

const account = (home: string) => ({ home_account_id: home, username: `${home}@example.test` })
const accessToken = (home: string, secret: string, cachedAt = 100) => ({
  home_account_id: home,
  secret,
  cached_at: String(cachedAt),
  expires_on: '2000',
  extended_expires_on: '3000',
})
const read: MsalCache = {
  Account: { ada: account('ada') },
  AccessToken: { 'ada-orders': accessToken('ada', 'orders-1') },
  RefreshToken: { ada: { home_account_id: 'ada', secret: 'refresh-1' } },
}
const withToken = (base: MsalCache, key: string, entry: object): MsalCache => ({
  ...base,
  AccessToken: { ...base['AccessToken'], [key]: entry },
})
const without = (base: MsalCache, section: string, key: string): MsalCache => {
  const { [key]: _, ...rest } = base[section] ?? {}
  return { ...base, [section]: rest }
}

describe('merging', () => {
  it('keeps what both sides have added', () => {
    const now = withToken(read, 'ada-reports', accessToken('ada', 'ours'))
    const stored = withToken(read, 'ada-mail', accessToken('ada', 'theirs'))
    expect(Object.keys(mergeCaches(read, now, stored)['AccessToken'] ?? {}).sort()).toEqual([
      'ada-mail',
      'ada-orders',
      'ada-reports',
    ])
  })

  it('lets the younger of two versions stay, and ours when there is no telling', () => {
    const now = withToken(read, 'ada-orders', accessToken('ada', 'ours', 200))
    const younger = withToken(read, 'ada-orders', accessToken('ada', 'theirs', 300))
    const older = withToken(read, 'ada-orders', accessToken('ada', 'theirs', 150))
    expect(mergeCaches(read, now, younger)['AccessToken']?.['ada-orders']).toMatchObject({ secret: 'theirs' })
    expect(mergeCaches(read, now, older)['AccessToken']?.['ada-orders']).toMatchObject({ secret: 'ours' })
    const rotated = { ...read, RefreshToken: { ada: { home_account_id: 'ada', secret: 'refresh-2' } } }
    expect(mergeCaches(read, rotated, read)['RefreshToken']?.['ada']).toMatchObject({ secret: 'refresh-2' })
    expect(mergeCaches(read, read, rotated)['RefreshToken']?.['ada']).toMatchObject({ secret: 'refresh-2' })
  })

  it('keeps an account that either side removed away, with all that belongs to it', () => {
    const removed = { Account: {}, AccessToken: {}, RefreshToken: {} }
    const refreshed = withToken(read, 'ada-mail', accessToken('ada', 'late', 900))
    const empty = { Account: {}, AccessToken: {}, RefreshToken: {} }
    expect(mergeCaches(read, removed, refreshed)).toEqual(empty)
    expect(mergeCaches(read, refreshed, removed)).toEqual(empty)
    expect(mergeCaches(read, removed, removed)).toEqual(empty)
    expect(mergeCaches({}, read, removed)).toEqual(read)
  })

  it('removes single entries, unless another process has renewed them', () => {
    const now = without(read, 'AccessToken', 'ada-orders')
    expect(mergeCaches(read, now, read)['AccessToken']).toEqual({})
    expect(mergeCaches(read, read, now)['AccessToken']).toEqual({})
  })

  it('leaves sections of later versions as they are', () => {
    const stored = { ...read, Later: { x: { y: 1 } } }
    expect(mergeCaches(read, read, stored)).toEqual(stored)
  })
})

describe('the end of use', () => {
  it('is that of the longest access token, and none while there is anything else', () => {
    expect(endOfUse({})).toEqual({ isEmpty: true, expiresAtMs: 0 })
    expect(endOfUse({ AccessToken: read['AccessToken'] ?? {}, AppMetadata: { a: {} } })).toEqual({
      isEmpty: false,
      expiresAtMs: 3_000_000,
    })
    expect(endOfUse(read)).toEqual({ isEmpty: false, expiresAtMs: null })
  })

  it('of what is no cache is at once', () => {
    for (const text of [null, '', '[]', '{"Account":[]}', '"x"']) expect(parseCache(text)).toEqual({})
  })
})
