/** What `ready({ provider: true })` finds at a provider: each mistake is named with the setting that holds it, no secret shown. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { coatcheck } from '../../src/app/coatcheck.ts'
import type { ProviderOptions } from '../../src/config/types.ts'
import { type CoatcheckError, isCoatcheckError } from '../../src/core/errors.ts'
import { type DevProvider, startDevProvider } from '../../src/entries/dev.ts'
import { entra } from '../../src/oidc/entra.ts'
import { oidc } from '../../src/oidc/provider.ts'

const other = 'bbbbbbbb-2222-3333-4444-555555555555'
const secret = 'not-the-client-secret-at-all'
let provider: DevProvider
const closing: (() => Promise<unknown>)[] = []
beforeAll(async () => {
  provider = await startDevProvider({})
})
afterEach(async () => {
  vi.unstubAllEnvs()
  for (const close of closing.splice(0).reverse()) await close()
})
afterAll(() => provider.close())

function applicationWith(...providers: readonly ProviderOptions[]): ReturnType<typeof coatcheck> {
  const auth = coatcheck({ providers, logger: { debug() {}, info() {}, warn() {}, error() {} } })
  closing.push(() => auth.close())
  return auth
}

async function refusalOf(auth: ReturnType<typeof coatcheck>): Promise<CoatcheckError> {
  const error: unknown = await auth.ready({ provider: true }).then(
    () => null,
    (thrown: unknown) => thrown,
  )
  if (!isCoatcheckError(error)) throw new Error('It was not refused.', { cause: error })
  for (const shown of [error.message, JSON.stringify(error), error.stack]) expect(shown).not.toContain(secret)
  return error as CoatcheckError
}

/** As Entra ID is configured in practice: all from the environment, the issuer alone leads to the local provider. */
function entraFrom(over: Partial<Record<'TENANT_ID' | 'CLIENT_ID' | 'CLIENT_SECRET', string>>): ProviderOptions {
  const { tenantId, clientId, clientSecret } = provider
  const given = { TENANT_ID: tenantId, CLIENT_ID: clientId, CLIENT_SECRET: clientSecret, ...over }
  for (const [name, value] of Object.entries(given)) vi.stubEnv(`AZURE_AD_${name}`, value)
  return entra({ issuer: `${provider.url}/${given.TENANT_ID}/v2.0` })
}

describe('a provider like Entra ID', () => {
  it('takes the right registration', async () => {
    await expect(applicationWith(entraFrom({})).ready({ provider: true })).resolves.toBeUndefined()
  })

  it.each([
    ['secret', { CLIENT_SECRET: secret }, 'COATCHECK_OIDC_CLIENT_REJECTED', 'AADSTS7000215', 'AZURE_AD_CLIENT_SECRET'],
    [
      'client id',
      { CLIENT_ID: 'no-such-client' },
      'COATCHECK_OIDC_CLIENT_REJECTED',
      'AADSTS700016',
      'AZURE_AD_CLIENT_ID',
    ],
    ['tenant', { TENANT_ID: other }, 'COATCHECK_OIDC_DISCOVERY', 'AADSTS90002', 'option entra().issuer'],
  ] as const)('names a wrong %s', async (_what, over, code, number, setting) => {
    const auth = applicationWith(entraFrom(over))
    // Without the question the application starts: it may have to while its provider is down.
    await auth.ready()
    const error = await refusalOf(auth)
    expect(error).toMatchObject({ code, details: { setting } })
    expect(error.message).toContain(number)
    expect(error.fix).toContain(setting)
    for (const value of Object.values(over)) if (value !== secret) expect(error.message).toContain(value)
  })

  it('names the variable of the tenant where the issuer leaves it open', async () => {
    vi.stubEnv('AZURE_AD_TENANT_ID', other)
    const issuer = `${provider.url}/{tenantid}/v2.0`
    const { clientId, clientSecret } = provider
    const error = await refusalOf(applicationWith(entra({ issuer, tenantId: other, clientId, clientSecret })))
    expect(error).toMatchObject({ details: { setting: 'option entra().tenantId', providerCode: 90002 } })
    expect(error.message).toContain(`has no tenant "${other}"`)
  })

  it('distinguishes an expired secret from a wrong one', async () => {
    const server = createServer((request, answer) => {
      answer.setHeader('content-type', 'application/json')
      if (request.url?.endsWith('/token')) {
        answer.statusCode = 401
        return answer.end(JSON.stringify({ error: 'invalid_client', error_codes: [7000222] }))
      }
      return answer.end(
        JSON.stringify({
          ...{ issuer: at, authorization_endpoint: `${at}/a`, token_endpoint: `${at}/token`, jwks_uri: `${at}/keys` },
        }),
      )
    })
    closing.push(async () => server.close())
    await once(server.listen(0, '127.0.0.1'), 'listening')
    const at = `http://127.0.0.1:${(server.address() as AddressInfo).port}/t/v2.0`
    const error = await refusalOf(applicationWith(entra({ issuer: at, clientId: 'app', clientSecret: secret })))
    expect(error.message).toContain('has expired (invalid_client, AADSTS7000222)')
    expect(error.fix).toContain('Create a new client secret')
  })
})

describe('any OpenID provider', () => {
  const registration = (over: Partial<ProviderOptions>): ProviderOptions => {
    const { issuer, clientId, clientSecret } = provider
    return { ...oidc({ name: 'idp', issuer, clientId, clientSecret }), ...over }
  }

  it('takes the right registration', async () => {
    await expect(applicationWith(registration({})).ready({ provider: true })).resolves.toBeUndefined()
  })

  it.each([
    ['a secret that was left out', { clientSecret: undefined }],
    ['a wrong secret', { clientSecret: secret }],
  ])('finds %s', async (_what, over) => {
    const error = await refusalOf(applicationWith(registration(over)))
    expect(error).toMatchObject({ code: 'COATCHECK_OIDC_CLIENT_REJECTED' })
    expect(error.fix).toContain('option oidc().clientSecret')
  })

  it('reports where it requested the metadata, and the response', async () => {
    const error = await refusalOf(applicationWith(registration({ issuer: `${provider.url}/no-such/issuer` })))
    expect(error.code).toBe('COATCHECK_OIDC_DISCOVERY')
    expect(error.message).toMatch(
      /cannot be read at http:\/\/127\.0\.0\.1:\d+\/no-such\/issuer\/\.well-known.*: HTTP 404\.$/,
    )
    expect(error.fix).toContain('option oidc().issuer')
  })

  it('shows both issuers where they differ', async () => {
    const issuer = provider.issuer.replace('127.0.0.1', 'localhost')
    const { message } = await refusalOf(applicationWith(registration({ issuer })))
    expect(message).toContain(issuer)
    expect(message).toContain(provider.issuer)
  })
})
