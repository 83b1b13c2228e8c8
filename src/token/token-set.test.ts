import { describe, expect, it } from 'vitest'
import { ASSUMED_LIFE_MS, checkMinValidity, checkTokenSet, checkUserId, tokenSetFromOAuth } from './token-set.ts'

const NOW = Date.UTC(2026, 0, 1)
const good = { accessToken: 'access', expiresAt: NOW + 3_600_000 }

function refusal(call: () => unknown): { code: unknown; message: string } {
  try {
    call()
  } catch (error) {
    expect(error).toBeInstanceOf(TypeError)
    return error as { code: unknown; message: string }
  }
  return { code: 'accepted', message: '' }
}

describe('tokens handed in', () => {
  it('are taken as they are', () => {
    expect(checkTokenSet(good)).toEqual({
      accessToken: 'access',
      expiresAtMs: good.expiresAt,
      refreshToken: null,
      idToken: null,
      scopes: null,
    })
    expect(checkTokenSet({ ...good, refreshToken: null, scopes: ['b', 'a', 'b'] }).scopes).toEqual(['a', 'b'])
  })

  it.each([Math.floor(NOW / 1000), 3600, 0, 4_102_444_800])('refuse %s as seconds', (expiresAt) => {
    expect(refusal(() => checkTokenSet({ ...good, expiresAt })).code).toBe('COATCHECK_TOKEN_SECONDS')
  })

  it.each([
    ['tokens', null],
    ['tokens', 'text'],
    ['tokens', []],
    ['accessToken', { expiresAt: good.expiresAt }],
    ['accessToken', { ...good, accessToken: '' }],
    ['accessToken', { ...good, accessToken: 7 }],
    ['refreshToken', { ...good, refreshToken: { secret: 1 } }],
    ['idToken', { ...good, idToken: '' }],
    ['expiresAt', { ...good, expiresAt: Number.NaN }],
    ['expiresAt', { ...good, expiresAt: -1 }],
    ['expiresAt', { ...good, expiresAt: String(good.expiresAt) }],
    ['expiresAt', { ...good, expiresAt: NOW * 1000 }],
    ['expiresAt', { accessToken: 'access' }],
    ['scopes', { ...good, scopes: 'a b' }],
    ['scopes[1]', { ...good, scopes: ['a', 'b c'] }],
    ['field', { ...good, access_token: 'SECRET' }],
  ])('name the field %s when it is wrong, and no value', (field, tokens) => {
    const { code, message } = refusal(() => checkTokenSet(tokens))
    expect(code).toBe('COATCHECK_INVALID_ARGUMENT')
    expect(message).toContain(field)
    expect(message).not.toContain('SECRET')
  })

  it('come from Auth.js in seconds', () => {
    const account = { access_token: 'a', refresh_token: 'r', id_token: 'i', expires_at: NOW / 1000, scope: ' b  a ' }
    expect(tokenSetFromOAuth(account, NOW)).toEqual({
      accessToken: 'a',
      refreshToken: 'r',
      idToken: 'i',
      expiresAt: NOW,
      scopes: ['a', 'b'],
    })
    expect(tokenSetFromOAuth({ access_token: 'a', expires_in: 60 }, NOW).expiresAt).toBe(NOW + 60_000)
    expect(tokenSetFromOAuth({ access_token: 'a' }, NOW).expiresAt).toBe(NOW + ASSUMED_LIFE_MS)
    expect(refusal(() => tokenSetFromOAuth({ access_token: 'a', expires_at: NOW }, NOW)).message).toContain(
      'expires_at',
    )
    expect(refusal(() => tokenSetFromOAuth({}, NOW)).message).toContain('access_token')
    expect(refusal(() => tokenSetFromOAuth(null, NOW)).code).toBe('COATCHECK_INVALID_ARGUMENT')
  })

  it('belong to a user with an id', () => {
    expect(checkUserId('ada')).toBe('ada')
    for (const id of ['', null, undefined, 7, 'x'.repeat(5000)]) {
      expect(refusal(() => checkUserId(id)).message).toContain('userId')
    }
    expect(checkMinValidity(undefined)).toBeNull()
    expect(refusal(() => checkMinValidity(-1)).message).toContain('minValidityMs')
  })
})
