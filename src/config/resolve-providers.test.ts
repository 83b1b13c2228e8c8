import { describe, expect, it } from 'vitest'
import type { ConfigError } from '../core/errors.ts'
import { entra } from '../oidc/entra.ts'
import { oidc } from '../oidc/provider.ts'
import type { Environment } from './environment.ts'
import { checkProviders, resolveProviders } from './resolve-providers.ts'
import type { ProviderOptions, ResolvedProvider } from './types.ts'

const tenantId = 'AAAAAAAA-2222-3333-4444-555555555555'
const other = 'bbbbbbbb-2222-3333-4444-555555555555'
const registration = { tenantId, clientId: 'app', clientSecret: 'shh' }
const idp = { name: 'idp', issuer: 'https://idp.example', clientId: 'app' }

const resolveOne = (options: ProviderOptions, env: Environment = {}): ResolvedProvider => {
  checkProviders([options])
  return resolveProviders([options], env)[0]!
}
const failure = (options: ProviderOptions | ProviderOptions[], env: Environment = {}): ConfigError => {
  const list = Array.isArray(options) ? options : [options]
  try {
    checkProviders(list)
    resolveProviders(list, env)
  } catch (error) {
    return error as ConfigError
  }
  throw new Error('nothing was thrown')
}
const group = (prefix: string, tag: string): Record<string, string> => ({
  [`${prefix}_TENANT_ID`]: tenantId,
  [`${prefix}_CLIENT_ID`]: `${tag}-client`,
  [`${prefix}_CLIENT_SECRET`]: `${tag}-secret`,
})

describe('entra()', () => {
  it('follows from the tenant', () => {
    expect(resolveOne(entra(registration))).toEqual({
      name: 'entra',
      preset: 'entra',
      issuer: 'https://login.microsoftonline.com/aaaaaaaa-2222-3333-4444-555555555555/v2.0',
      discoveryUrl:
        'https://login.microsoftonline.com/aaaaaaaa-2222-3333-4444-555555555555/v2.0/.well-known/openid-configuration',
      clientId: 'app',
      credential: { kind: 'secret', secret: 'shh' },
      scopes: ['openid', 'profile', 'email', 'offline_access'],
      allowedTenants: [],
      responseMode: 'query',
      allowInsecureHttp: false,
      settings: {
        authority: 'option entra().tenantId',
        clientId: 'option entra().clientId',
        credential: 'option entra().clientSecret',
      },
    })
  })

  it.each([
    ['public', 'common', 'https://login.microsoftonline.com/{tenantid}/v2.0', 'login.microsoftonline.com/common'],
    ['public', 'organizations', 'https://login.microsoftonline.com/{tenantid}/v2.0', '/organizations/v2.0/.well-known'],
    [
      'public',
      'consumers',
      'https://login.microsoftonline.com/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0',
      'login.microsoftonline.com/consumers',
    ],
    ['usgov', other, `https://login.microsoftonline.us/${other}/v2.0`, 'login.microsoftonline.us'],
    ['usgov', 'organizations', 'https://login.microsoftonline.us/{tenantid}/v2.0', 'login.microsoftonline.us'],
    ['china', other, `https://login.partner.microsoftonline.cn/${other}/v2.0`, 'login.partner.microsoftonline.cn'],
  ] as const)('%s cloud, %s', (cloud, tenant, issuer, discovery) => {
    const provider = resolveOne(entra({ ...registration, cloud, tenantId: tenant, allowedTenants: 'any' }))
    expect(provider.issuer).toBe(issuer)
    expect(provider.discoveryUrl).toContain(discovery)
  })

  it('always asks for offline_access, and for each scope once', () => {
    const provider = resolveOne(
      entra({ ...registration, scopes: ['User.Read', 'email'], apiScopes: ['api://orders/Orders.Read'] }),
    )
    expect(provider.scopes).toEqual([
      ...['openid', 'profile', 'email', 'offline_access'],
      ...['User.Read', 'api://orders/Orders.Read'],
    ])
  })

  it('takes AZURE_AD_* first, then AZURE_*, each as a whole', () => {
    const both = { ...group('AZURE_AD', 'ad'), ...group('AZURE', 'plain') }
    expect(resolveOne(entra(), both)).toMatchObject({ clientId: 'ad-client', credential: { secret: 'ad-secret' } })
    expect(resolveOne(entra(), group('AZURE', 'plain'))).toMatchObject({ clientId: 'plain-client' })
    for (const absent of ['AZURE_AD_CLIENT_ID', 'AZURE_AD_CLIENT_SECRET', 'AZURE_AD_TENANT_ID']) {
      const provider = resolveOne(entra(), { ...both, [absent]: ' ' })
      expect(provider).toMatchObject({ clientId: 'plain-client', credential: { secret: 'plain-secret' } })
      const error = failure(entra(), { ...both, [absent]: '', AZURE_CLIENT_SECRET: '' })
      expect(error).toMatchObject({ code: 'COATCHECK_CONFIG_MISSING' })
    }
  })

  it('knows from which setting each part came', () => {
    const env = group('AZURE', 'plain')
    expect(resolveOne(entra({ clientId: 'plain-client' }), env).settings).toEqual({
      authority: 'AZURE_TENANT_ID',
      clientId: 'option entra().clientId',
      credential: 'AZURE_CLIENT_SECRET',
    })
    const { AZURE_CLIENT_SECRET: _secret, ...rest } = env
    const certificate = resolveOne(entra(), { ...rest, AZURE_CLIENT_CERTIFICATE_PATH: '/etc/app.pem' })
    expect(certificate.settings.credential).toBe('AZURE_CLIENT_CERTIFICATE_PATH')
    expect(resolveOne(oidc(idp)).settings.authority).toBe('option oidc().issuer')
  })

  it('fills in what the options leave out, from no group of another client', () => {
    const env = { ...group('AZURE_AD', 'ad'), ...group('AZURE', 'plain') }
    expect(resolveOne(entra({ tenantId: 'common', allowedTenants: 'any' }), env)).toMatchObject({
      clientId: 'ad-client',
    })
    expect(resolveOne(entra({ clientId: 'plain-client' }), env)).toMatchObject({
      credential: { secret: 'plain-secret' },
    })
    expect(failure(entra({ clientId: 'third' }), env)).toMatchObject({
      code: 'COATCHECK_CONFIG_MISSING',
      details: { option: 'entra().tenantId', variable: 'AZURE_AD_TENANT_ID' },
    })
  })

  it('takes one credential of a group: a secret, else a certificate, else a federated token', () => {
    const { AZURE_CLIENT_SECRET, ...rest } = group('AZURE', 'plain')
    const federated = { ...rest, AZURE_FEDERATED_TOKEN_FILE: '/var/run/token' }
    expect(resolveOne(entra(), federated).credential).toEqual({ kind: 'federated', tokenFile: '/var/run/token' })
    const certificate = { ...federated, AZURE_CLIENT_CERTIFICATE_PATH: '/etc/app.pem' }
    expect(resolveOne(entra(), certificate).credential).toEqual({
      kind: 'certificate',
      pem: null,
      file: '/etc/app.pem',
    })
    const all = { ...certificate, AZURE_CLIENT_SECRET }
    expect(resolveOne(entra(), all).credential).toEqual({ kind: 'secret', secret: 'plain-secret' })
    expect(resolveOne(entra({ federatedTokenFile: '/mine' }), all).credential).toEqual({
      kind: 'federated',
      tokenFile: '/mine',
    })
    expect(failure(entra(), rest)).toMatchObject({
      details: { option: 'entra().clientSecret', variable: 'AZURE_CLIENT_SECRET' },
    })
    const { clientSecret, ...withoutCredential } = registration
    expect(failure(entra(withoutCredential))).toMatchObject({ details: { option: 'entra().clientSecret' } })
    expect(failure(entra({ ...withoutCredential, clientSecret, federatedTokenFile: '/x' }))).toMatchObject({
      code: 'COATCHECK_CONFIG_INVALID',
      details: { option: 'entra().federatedTokenFile' },
    })
  })

  it.each([
    ['AZURE_AD_CLIENT_SECRET', 'entra().clientSecret', 'client secret or other credential'],
    ['AZURE_AD_CLIENT_ID', 'entra().clientId', 'client id'],
    ['AZURE_AD_TENANT_ID', 'entra().tenantId', 'tenant id'],
    ['AZURE_CLIENT_SECRET', 'entra().clientSecret', 'client secret or other credential'],
    ['AZURE_CLIENT_ID', 'entra().clientId', 'client id'],
    ['AZURE_TENANT_ID', 'entra().tenantId', 'tenant id'],
  ])('names %s where it alone is missing, and nothing else', (variable, option, part) => {
    const prefix = variable.startsWith('AZURE_AD') ? 'AZURE_AD' : 'AZURE'
    const { [variable]: _absent, ...env } = group(prefix, 'x')
    // A platform has set one variable of the other group.
    const error = failure(entra(), { ...env, [prefix === 'AZURE' ? 'AZURE_AD_CLIENT_ID' : 'AZURE_CLIENT_ID']: 'other' })
    expect(error).toMatchObject({ code: 'COATCHECK_CONFIG_MISSING', details: { option, variable } })
    expect(error.message).toBe(`entra() has no ${part}: ${variable} is not set.`)
    expect(error.fix).toContain(`Set ${variable}, or give ${option}.`)
    for (const name of Object.keys(env)) expect(error.why).toContain(name)
    expect(JSON.stringify(error)).not.toContain('x-secret')
  })

  it('names all of the first group where no variable is set', () => {
    const error = failure(entra(), {})
    expect(error.message).toContain('AZURE_AD_TENANT_ID, AZURE_AD_CLIENT_ID and AZURE_AD_CLIENT_SECRET are not set.')
    expect(error.details).toEqual({ option: 'entra().tenantId', variable: 'AZURE_AD_TENANT_ID' })
    expect(error.fix).toContain('npx coatcheck dev')
    const many = { tenantId: 'common', allowedTenants: 'any', clientId: 'app' } as const
    expect(failure(entra(many)).message).toContain('AZURE_AD_CLIENT_SECRET is not set.')
  })

  it('names the client of the options where the variables are of another one', () => {
    expect(failure(entra({ clientId: 'third' }), group('AZURE_AD', 'ad')).why).toContain('another client id')
  })

  it('refuses a domain name as tenant, from options and environment', () => {
    const tenant = 'contoso.onmicrosoft.com'
    expect(failure(entra({ ...registration, tenantId: tenant })).details).toEqual({ option: 'entra().tenantId' })
    const env = { ...group('AZURE_AD', 'ad'), AZURE_AD_TENANT_ID: tenant }
    expect(failure(entra(), env).details).toEqual({ variable: 'AZURE_AD_TENANT_ID' })
  })

  it('refuses an allow-list that admits no user', () => {
    expect(failure(entra({ ...registration, allowedTenants: [other] })).details).toEqual({
      option: 'entra().allowedTenants',
    })
    expect(resolveOne(entra({ ...registration, allowedTenants: [tenantId] })).allowedTenants).toEqual([
      tenantId.toLowerCase(),
    ])
    expect(resolveOne(entra({ ...registration, tenantId: 'common', allowedTenants: [other] })).allowedTenants).toEqual([
      other,
    ])
  })

  it.each(['common', 'organizations'])('wants to know whose users may sign in with %s', (many) => {
    const open = { ...registration, tenantId: many }
    for (const options of [open, { ...open, allowedTenants: [] }]) {
      const error = failure(entra(options))
      expect(error).toMatchObject({
        code: 'COATCHECK_CONFIG_MISSING',
        details: { option: 'entra().allowedTenants' },
      })
      expect(`${error.message} ${error.why} ${error.fix}`).toMatch(/'any'.*allowedTenants/)
      expect(error.why).toContain(`'${many}'`)
    }
    expect(resolveOne(entra({ ...open, allowedTenants: 'any' })).allowedTenants).toEqual([])
    expect(resolveOne(entra({ ...open, allowedTenants: [other.toUpperCase()] })).allowedTenants).toEqual([other])
    const env = { ...group('AZURE_AD', 'ad'), AZURE_AD_TENANT_ID: many }
    expect(failure(entra(), env)).toMatchObject({ details: { option: 'entra().allowedTenants' } })
  })

  it('refuses personal accounts with organizations only', () => {
    const personal = '9188040d-6c67-4c5b-b112-36a304b66dad'
    const refused = (id: string) =>
      resolveOne(entra({ ...registration, tenantId: id, allowedTenants: 'any' })).refusedTenants
    expect([refused('organizations'), refused('common'), refused(tenantId)]).toEqual([[personal], undefined, undefined])
    const contradiction = { ...registration, tenantId: 'organizations', allowedTenants: [personal] }
    expect(failure(entra(contradiction)).details).toEqual({ option: 'entra().allowedTenants' })
  })

  it('takes an issuer of its own: a local provider of the same shape', () => {
    const issuer = `http://127.0.0.1:9000/${other}/v2.0`
    const provider = resolveOne(entra({ issuer, clientId: 'app', clientSecret: 'shh' }))
    expect(provider).toMatchObject({
      issuer,
      discoveryUrl: `${issuer}/.well-known/openid-configuration`,
      allowInsecureHttp: true,
      preset: 'entra',
    })
    const template = 'http://localhost:9000/{tenantid}/v2.0'
    const many = { ...registration, tenantId: 'organizations', issuer: template, allowedTenants: 'any' } as const
    const multi = resolveOne(entra(many))
    expect(multi.issuer).toBe(template)
    expect(multi.discoveryUrl).toBe('http://localhost:9000/organizations/v2.0/.well-known/openid-configuration')
    // The template admits several issuers, and the tenant selects one.
    expect(resolveOne(entra({ ...registration, issuer: template })).allowedTenants).toEqual([tenantId.toLowerCase()])
  })

  it.each([
    [{ cloud: 'germany' }, 'cloud'],
    [{ tenantId: '' }, 'tenantId'],
    [{ clientId: ' ' }, 'clientId'],
    [{ clientSecret: ['x'] }, 'clientSecret'],
    [{ clientSecret: undefined, clientCertificate: 'no pem' }, 'clientCertificate'],
    [{ allowedTenants: ['contoso.com'] }, 'allowedTenants'],
    [{ scopes: 'User.Read' }, 'scopes'],
    [{ scopes: ['a b'] }, 'scopes'],
    [{ apiScopes: ['"'] }, 'apiScopes'],
    [{ name: 'Entra ID' }, 'name'],
    [{ name: 'a:b' }, 'name'],
    [{ issuer: 'login.example' }, 'issuer'],
    [{ issuer: 'https://idp.example?x' }, 'issuer'],
    [{ responseMode: 'fragment' }, 'responseMode'],
  ])('refuses %j', (bad, option) => {
    const error = failure(entra({ ...registration, ...bad } as never))
    expect(error).toMatchObject({ code: 'COATCHECK_CONFIG_INVALID', details: { option: `entra().${option}` } })
  })
})

describe('oidc()', () => {
  it('keeps the issuer as it is spelt, and asks for what is usual', () => {
    const provider = resolveOne(oidc({ ...idp, issuer: 'https://tenant.idp.example/' }))
    expect(provider).toMatchObject({
      preset: 'oidc',
      issuer: 'https://tenant.idp.example/',
      discoveryUrl: 'https://tenant.idp.example/.well-known/openid-configuration',
      credential: { kind: 'none' },
      scopes: ['openid', 'profile', 'email', 'offline_access'],
    })
  })

  it('lets scopes be replaced, all but openid', () => {
    expect(resolveOne(oidc({ ...idp, scopes: ['email'] })).scopes).toEqual(['openid', 'email'])
    expect(resolveOne(oidc({ ...idp, scopes: [], apiScopes: ['orders'] })).scopes).toEqual(['openid', 'orders'])
  })

  it('takes plain http for a loopback issuer only', () => {
    for (const issuer of ['http://localhost:9000', 'http://127.0.0.1/x', 'http://[::1]:9000']) {
      expect(resolveOne(oidc({ ...idp, issuer })).allowInsecureHttp).toBe(true)
    }
    for (const issuer of ['http://idp.example', 'http://10.0.0.1', 'http://localhost.idp.example']) {
      expect(failure(oidc({ ...idp, issuer })).code).toBe('COATCHECK_CONFIG_INSECURE')
      expect(failure(entra({ ...registration, issuer })).code).toBe('COATCHECK_CONFIG_INSECURE')
    }
  })

  it('says what is missing when it is resolved, not before', () => {
    for (const field of ['name', 'issuer', 'clientId'] as const) {
      const options = oidc({ ...idp, [field]: undefined })
      expect(() => checkProviders([options])).not.toThrow()
      expect(failure(options)).toMatchObject({
        code: 'COATCHECK_CONFIG_MISSING',
        details: { option: `oidc().${field}` },
      })
    }
  })

  it('refuses what is no object, and two of one name', () => {
    expect(failure(oidc('https://idp.example' as never)).code).toBe('COATCHECK_CONFIG_UNKNOWN_OPTION')
    expect(failure([oidc(idp), oidc(idp)])).toMatchObject({ details: { option: 'providers' } })
    expect(failure([entra(registration), oidc({ ...idp, name: 'entra' })]).message).toContain('called entra')
  })
})
