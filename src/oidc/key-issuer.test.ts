import { exportJWK, generateKeyPair, type GenerateKeyPairResult, type JWTPayload, SignJWT } from 'jose'
import { beforeAll, expect, it } from 'vitest'
import { createProviderKeys, type SignatureVerdict } from './key-set.ts'

const TENANT = '11111111-2222-4333-8444-555555555555'
const CONSUMERS = '9188040d-6c67-4c5b-b112-36a304b66dad'
const issuerOf = (tenant: string): string => `https://login.microsoftonline.com/${tenant}/v2.0`
const TEMPLATE = issuerOf('{tenantid}')

let pair: GenerateKeyPairResult
beforeAll(async () => {
  pair = await generateKeyPair('RS256', { extractable: true })
})

async function verdict(
  keyIssuer: unknown,
  claims: JWTPayload,
  preset: 'entra' | 'oidc' = 'entra',
): Promise<SignatureVerdict> {
  const key = { ...(await exportJWK(pair.publicKey)), kid: 'one', use: 'sig', alg: 'RS256', issuer: keyIssuer }
  const keys = createProviderKeys({
    provider: { name: 'entra', preset },
    url: 'https://login.microsoftonline.com/common/discovery/v2.0/keys',
    send: () => Promise.resolve(Response.json({ keys: [key] })),
    clock: { now: () => 0, monotonic: () => 0 },
  })
  const token = await new SignJWT(claims).setProtectedHeader({ alg: 'RS256', kid: 'one' }).sign(pair.privateKey)
  return keys.verify(token, 'visitor')
}

it.each([
  ['a key for every tenant', TEMPLATE, { iss: issuerOf(TENANT), tid: TENANT }, 'valid'],
  ['a key for every tenant, and a logout token without tid', TEMPLATE, { iss: issuerOf(TENANT) }, 'valid'],
  ['a key of the tenant', issuerOf(TENANT), { iss: issuerOf(TENANT), tid: TENANT }, 'valid'],
  ['a key without an issuer', undefined, { iss: issuerOf(TENANT), tid: TENANT }, 'valid'],
  ['a key of personal accounts', issuerOf(CONSUMERS), { iss: issuerOf(CONSUMERS), tid: CONSUMERS }, 'valid'],
  ['personal accounts, for a tenant', issuerOf(CONSUMERS), { iss: issuerOf(TENANT), tid: TENANT }, 'key-issuer'],
  ['another tenant, without tid', issuerOf(CONSUMERS), { iss: issuerOf(TENANT) }, 'key-issuer'],
  ['a tid that the issuer does not name', TEMPLATE, { iss: issuerOf(TENANT), tid: CONSUMERS }, 'key-issuer'],
  ['an issuer of another cloud', TEMPLATE, { iss: issuerOf(TENANT).replace('.com', '.us'), tid: TENANT }, 'key-issuer'],
  ['no tenant in the issuer', TEMPLATE, { iss: issuerOf('common'), tid: 'common' }, 'key-issuer'],
  ['no issuer', TEMPLATE, { tid: TENANT }, 'key-issuer'],
  ['a key issuer that is no text', 7, { iss: issuerOf(TENANT), tid: TENANT }, 'key-issuer'],
])('%s', async (_title, keyIssuer, claims, expected) => {
  expect(await verdict(keyIssuer, claims)).toBe(expected)
})

it('is a rule of Entra ID only', async () => {
  expect(await verdict(issuerOf(CONSUMERS), { iss: 'https://op.example' }, 'oidc')).toBe('valid')
})
