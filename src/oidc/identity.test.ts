import { describe, expect, it } from 'vitest'
import { resolvedProvider } from '../../test/support/resolved-provider.ts'
import { admit, type Claims, identityOf, isIssuerOf } from './identity.ts'

const TENANT = '11111111-2222-4333-8444-555555555555'
const CONSUMERS = '9188040d-6c67-4c5b-b112-36a304b66dad'
const issuerOf = (tenant: string): string => `https://login.microsoftonline.com/${tenant}/v2.0`
const organizations = {
  ...resolvedProvider,
  preset: 'entra',
  issuer: issuerOf('{tenantid}'),
  refusedTenants: [CONSUMERS],
} as const

describe('a provider with refused tenants', () => {
  it.each([
    [{ iss: issuerOf(CONSUMERS), tid: CONSUMERS }],
    [{ iss: issuerOf(CONSUMERS), tid: CONSUMERS.toUpperCase() }],
    [{ iss: issuerOf(TENANT), tid: CONSUMERS }],
  ])('refuses %j', (claims) => {
    const denied = expect.objectContaining({ code: 'COATCHECK_SIGNIN_DENIED' }) as Error
    expect(() => identityOf(organizations, { ...claims, sub: 's' })).toThrow(denied)
  })

  it('lets others in, and knows none of the refused as issuer of a logout', () => {
    expect(identityOf(organizations, { iss: issuerOf(TENANT), tid: TENANT, sub: 's' }).issuer).toBe(issuerOf(TENANT))
    expect(isIssuerOf(organizations, issuerOf(TENANT))).toBe(true)
    expect(isIssuerOf(organizations, issuerOf(CONSUMERS))).toBe(false)
    expect(isIssuerOf({ ...organizations, refusedTenants: [] }, issuerOf(CONSUMERS))).toBe(true)
  })
})

describe('the default profile', () => {
  const emailOf = async (preset: 'entra' | 'oidc', claims: Claims, profile = {}): Promise<unknown> => {
    const provider = { ...resolvedProvider, preset }
    const identity = identityOf(provider, { iss: provider.issuer, sub: 's', email: 'ada@example.test', ...claims })
    return (await admit(identity, profile, 0, preset)).profile['email']
  }

  it.each([
    ['entra', {}, false],
    ['entra', { email_verified: true }, true],
    ['entra', { email_verified: 'true' }, true],
    ['entra', { email_verified: false }, false],
    ['entra', { xms_edov: true }, true],
    ['entra', { xms_edov: 1 }, true],
    ['entra', { xms_edov: '1' }, true],
    ['entra', { xms_edov: false }, false],
    ['entra', { xms_edov: '0' }, false],
    ['oidc', {}, true],
    ['oidc', { email_verified: true }, true],
    ['oidc', { email_verified: false }, false],
    ['oidc', { email_verified: 'false' }, false],
  ] as const)('of %s, with %j, has the address: %s', async (preset, claims, isThere) => {
    expect(await emailOf(preset, claims)).toBe(isThere ? 'ada@example.test' : undefined)
  })

  it('is replaced by signIn.profile, which gets all claims', async () => {
    expect(await emailOf('entra', {}, { profile: ({ email }: Claims) => ({ email }) })).toBe('ada@example.test')
  })
})
