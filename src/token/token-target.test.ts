import { describe, expect, it } from 'vitest'
import { accessField, fieldsOf, grantField, parseField } from './token-fields.ts'
import { resolveProvider, resolveTarget } from './token-target.ts'

const one = ['entra']
const refused = expect.objectContaining({ code: 'COATCHECK_INVALID_ARGUMENT' }) as Error

describe('what a token is for', () => {
  it('is one key per resource and set of scopes', () => {
    const key = (options: object): string => resolveTarget(one, options).key
    expect(key({})).toBe('')
    expect(key({ scopes: [] })).toBe('')
    expect(key({ scopes: ['b', 'a', 'b'] })).toBe('|a b')
    expect(key({ resource: 'api://orders' })).toBe('api://orders')
    expect(key({ resource: 'api://orders', scopes: ['a'] })).toBe('api://orders|a')
    const long = key({ scopes: Array.from({ length: 50 }, (_, i) => `api://orders/scope-${i}`) })
    expect(long).toMatch(/^#[0-9a-f]{32}$/)
    expect(key({ resource: `https://a.example/${'x'.repeat(300)}` })).not.toBe(long)
  })

  it.each([
    { resource: '' },
    { resource: 'https://a.example/#fragment' },
    { resource: 'a|b' },
    { resource: 'a b' },
    { resource: 7 },
    { scopes: 'a b' },
    { scopes: [''] },
    { scopes: ['a"b'] },
    { scopes: Array.from({ length: 101 }, (_, i) => `s${i}`) },
  ])('refuses %j', (options) => {
    expect(() => resolveTarget(one, options as object)).toThrow(refused)
  })

  it('needs no provider when there is one, and a known name otherwise', () => {
    expect(resolveProvider(one)).toBe('entra')
    expect(resolveProvider([])).toBe('default')
    expect(resolveProvider([], { provider: 'mine' })).toBe('mine')
    expect(() => resolveProvider(['a', 'b'])).toThrow(refused)
    expect(() => resolveProvider(one, { provider: 'b' })).toThrow(refused)
    expect(() => resolveProvider([], { provider: 'a:b' })).toThrow(refused)
  })
})

describe('fields', () => {
  it('are taken apart as they were put together', () => {
    expect(parseField(grantField('entra'))).toEqual({ kind: 'grant', provider: 'entra', targetKey: '' })
    const field = accessField('entra', 'api://orders|a b')
    expect(parseField(field)).toEqual({ kind: 'access', provider: 'entra', targetKey: 'api://orders|a b' })
    expect(parseField('future:entra')).toBeNull()
  })

  it('of one provider never match those of another whose name begins the same', () => {
    const { prefixes = [] } = fieldsOf('entra')
    expect(prefixes.some((prefix) => accessField('entra-2', '').startsWith(prefix))).toBe(false)
  })
})
