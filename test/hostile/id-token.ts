/** ID tokens (OpenID Connect Core section 3.1.3.7), tested by a sign-in. Each breaks at most one rule. */
import { createHmac, randomUUID } from 'node:crypto'
import { type JWTPayload, SignJWT, UnsecuredJWT } from 'jose'
import { type HostileProvider, newKey, nowSeconds, sign } from '../support/hostile-provider.ts'
import { ACCEPTED, type HostileCase, REJECTED } from './case.ts'

type Change = HostileCase['change']

const HOUR_SECONDS = 3600

const claims =
  (change: (honest: JWTPayload, provider: HostileProvider) => JWTPayload): Change =>
  (provider) =>
    void (provider.script.idToken = (honest) => sign(change(honest, provider), provider.key))
const with_ = (more: JWTPayload | (() => JWTPayload)): Change =>
  claims((honest) => ({ ...honest, ...(typeof more === 'function' ? more() : more) }))
const without = (name: string): Change => claims(({ [name]: _, ...rest }) => rest)
const header =
  (more: object): Change =>
  (provider) =>
    void (provider.script.idToken = (honest) => sign(honest, provider.key, more))
const token =
  (make: (honest: JWTPayload, provider: HostileProvider) => Promise<string> | string): Change =>
  (provider) =>
    void (provider.script.idToken = (honest) => make(honest, provider))

const secretOf = ({ provider }: HostileProvider): Buffer =>
  Buffer.from(provider.credential?.kind === 'secret' ? provider.credential.secret.padEnd(32) : '')

/** With HS256, and metadata that list it. */
const symmetric =
  (secret: (provider: HostileProvider) => Buffer): Change =>
  (provider) => {
    const { script } = provider
    script.metadata = (honest) => ({ ...honest, id_token_signing_alg_values_supported: ['RS256', 'HS256'] })
    script.idToken = (honest) => new SignJWT(honest).setProtectedHeader({ alg: 'HS256' }).sign(secret(provider))
  }

const compact = (head: unknown, body: unknown, signature = 'AAAA'): string =>
  [head, body].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.') + `.${signature}`

export const idTokenCases: readonly HostileCase[] = [
  { does: 'signs with RS256', result: ACCEPTED, change: header({}), module: 'oidcc-client-test-idtoken-sig-rs256' },
  {
    does: 'sends a token without a signature',
    result: `${REJECTED} algorithm`,
    change: token((honest) => new UnsecuredJWT(honest).encode()),
    module: 'oidcc-client-test-idtoken-sig-none',
  },
  {
    does: 'sends a token without a signature, and lists none in its metadata',
    result: `${REJECTED} algorithm`,
    change: ({ script }) => {
      script.metadata = (honest) => ({ ...honest, id_token_signing_alg_values_supported: ['none', 'RS256'] })
      script.idToken = (honest) => new UnsecuredJWT(honest).encode()
    },
  },
  {
    does: 'signs with a key that is not its own',
    result: `${REJECTED} signature`,
    change: token(async (honest) => sign(honest, await newKey('one'))),
    module: 'oidcc-client-test-invalid-sig-rs256',
  },
  {
    does: 'signs with HS256 and the client secret',
    result: `${REJECTED} algorithm`,
    change: symmetric(secretOf),
    module: 'oidcc-client-test-invalid-sig-hs256',
  },
  {
    does: 'signs with HS256 and its public key as the secret',
    result: `${REJECTED} algorithm`,
    change: symmetric(({ key }) => Buffer.from(JSON.stringify(key.jwk))),
  },
  {
    does: 'signs with ES256 and a foreign key',
    result: `${REJECTED} signature`,
    change: async (provider) => {
      provider.key = await newKey('ec', 'ES256')
      provider.script.idToken = async (honest) => sign(honest, await newKey('ec', 'ES256'))
    },
    module: 'oidcc-client-test-invalid-sig-es256',
  },
  {
    does: 'changes a claim after signing',
    result: `${REJECTED} signature`,
    change: token(async (honest, { key }) => {
      const [head = '', , signature = ''] = (await sign(honest, key)).split('.')
      return [head, Buffer.from(JSON.stringify({ ...honest, sub: 'admin' })).toString('base64url'), signature].join('.')
    }),
  },
  {
    does: 'leaves the signature empty',
    result: `${REJECTED} signature`,
    change: token(async (honest, { key }) => (await sign(honest, key)).replace(/[^.]+$/, '')),
  },
  {
    does: 'names an unknown key',
    result: `${REJECTED} signing-key`,
    change: token(async (honest) => sign(honest, await newKey('unknown'))),
  },
  {
    does: 'brings its own key in the header (jwk)',
    result: `${REJECTED} signature`,
    change: token(async (honest) => {
      const foreign = await newKey('one')
      return sign(honest, foreign, { jwk: foreign.jwk })
    }),
  },
  {
    does: 'names its own key set in the header (jku)',
    result: `${REJECTED} signature`,
    change: token(async (honest) => sign(honest, await newKey('one'), { jku: 'https://evil.example/keys' })),
  },
  {
    does: 'names a key id that is a path',
    result: `${REJECTED} signing-key`,
    change: header({ kid: '../../../dev/null' }),
  },
  {
    does: 'names a key id that is no text',
    result: `${REJECTED} signing-key`,
    change: token((honest) => compact({ alg: 'RS256', kid: 1 }, honest)),
  },
  {
    does: 'has a critical extension in the header',
    result: `${REJECTED} critical-header`,
    change: token((honest) => compact({ alg: 'RS256', kid: 'one', crit: ['x'], x: true }, honest)),
  },
  {
    does: 'says alg none in lower and upper case',
    result: `${REJECTED} algorithm`,
    change: token((honest) => compact({ alg: 'nOnE' }, honest, '')),
  },
  { does: 'says no alg', result: `${REJECTED} algorithm`, change: token((honest) => compact({ kid: 'one' }, honest)) },
  { does: 'sends an encrypted token', result: `${REJECTED} format`, change: token(() => 'a.b.c.d.e') },
  { does: 'sends a token of two parts', result: `${REJECTED} format`, change: token(() => 'a.b') },
  { does: 'sends a token whose parts are no JSON', result: `${REJECTED} format`, change: token(() => 'a.b.c') },
  {
    does: 'sends a token whose claims are a list',
    result: `${REJECTED} format`,
    change: token(() => compact({ alg: 'RS256', kid: 'one' }, [1])),
  },
  {
    does: 'signs a token whose HMAC is right and whose alg says RS256',
    result: `${REJECTED} signature`,
    change: token((honest, provider) => {
      const unsigned = compact({ alg: 'RS256', kid: 'one' }, honest, '').slice(0, -1)
      return `${unsigned}.${createHmac('sha256', secretOf(provider)).update(unsigned).digest('base64url')}`
    }),
  },
  {
    does: 'names another issuer',
    result: `${REJECTED} issuer`,
    change: with_({ iss: 'https://evil.example' }),
    module: 'oidcc-client-test-invalid-iss',
  },
  {
    does: 'names its issuer with a trailing slash',
    result: `${REJECTED} issuer`,
    change: with_({ iss: 'https://idp.test/' }),
  },
  { does: 'names its issuer in upper case', result: `${REJECTED} issuer`, change: with_({ iss: 'HTTPS://IDP.TEST' }) },
  { does: 'names no issuer', result: `${REJECTED} issuer`, change: without('iss') },
  {
    does: 'names no subject',
    result: `${REJECTED} subject`,
    change: without('sub'),
    module: 'oidcc-client-test-missing-sub',
  },
  { does: 'names an empty subject', result: `${REJECTED} subject`, change: with_({ sub: '' }) },
  {
    does: 'names a subject that is a number',
    result: `${REJECTED} subject`,
    change: claims((honest) => ({ ...honest, sub: 7 as unknown as string })),
  },
  {
    does: 'names another audience',
    result: `${REJECTED} audience`,
    change: with_({ aud: 'other' }),
    module: 'oidcc-client-test-invalid-aud',
  },
  {
    does: 'names no audience',
    result: `${REJECTED} audience`,
    change: without('aud'),
    module: 'oidcc-client-test-missing-aud',
  },
  { does: 'names an empty list of audiences', result: `${REJECTED} audience`, change: with_({ aud: [] }) },
  { does: 'names us in a list of one', result: ACCEPTED, change: with_({ aud: ['c'] }) },
  {
    does: 'names us and a foreign audience, without azp',
    result: `${REJECTED} authorized-party`,
    change: with_({ aud: ['c', 'other'] }),
  },
  {
    does: 'names us and a foreign audience, with us as azp',
    result: ACCEPTED,
    change: with_({ aud: ['c', 'other'], azp: 'c' }),
  },
  {
    does: 'names us and a foreign audience, with that as azp',
    result: `${REJECTED} authorized-party`,
    change: with_({ aud: ['c', 'other'], azp: 'other' }),
  },
  {
    does: 'names us alone, with a foreign azp',
    result: `${REJECTED} authorized-party`,
    change: with_({ azp: 'other' }),
  },
  {
    does: 'names us alone, with an azp that is a list',
    result: `${REJECTED} authorized-party`,
    change: with_({ azp: ['c'] }),
  },
  { does: 'names us alone, with us as azp', result: ACCEPTED, change: with_({ azp: 'c' }) },
  {
    does: 'sends another nonce',
    result: `${REJECTED} nonce`,
    change: with_(() => ({ nonce: randomUUID() })),
    module: 'oidcc-client-test-nonce-invalid',
  },
  { does: 'sends no nonce', result: `${REJECTED} nonce`, change: without('nonce') },
  {
    does: 'sends the nonce in a list',
    result: `${REJECTED} nonce`,
    change: claims((honest) => ({ ...honest, nonce: [honest['nonce']] })),
  },
  {
    does: 'sends no iat',
    result: `${REJECTED} issued-at`,
    change: without('iat'),
    module: 'oidcc-client-test-missing-iat',
  },
  {
    does: 'sends iat as a text',
    result: `${REJECTED} issued-at`,
    change: claims((honest) => ({ ...honest, iat: String(honest.iat) as unknown as number })),
  },
  { does: 'sends no exp', result: `${REJECTED} expiry`, change: without('exp') },
  {
    does: 'sends a token that has expired',
    result: `${REJECTED} expiry`,
    change: with_(() => ({ exp: nowSeconds() - HOUR_SECONDS })),
  },
  {
    does: 'sends a token that has expired ten seconds ago',
    result: ACCEPTED,
    change: with_(() => ({ exp: nowSeconds() - 10 })),
  },
  {
    does: 'sends exp as a text',
    result: `${REJECTED} expiry`,
    change: claims((honest) => ({ ...honest, exp: '9999999999' as unknown as number })),
  },
  {
    does: 'sends a token that is not valid yet',
    result: `${REJECTED} not-before`,
    change: with_(() => ({ nbf: nowSeconds() + HOUR_SECONDS })),
  },
  { does: 'sends an auth_time that is a text', result: `${REJECTED} claims`, change: with_({ auth_time: 'now' }) },
  {
    does: 'sends a claim `__proto__`',
    result: ACCEPTED,
    change: token((honest, { key }) =>
      sign(JSON.parse(JSON.stringify(honest).replace('{', '{"__proto__":{"admin":true},')) as JWTPayload, key),
    ),
  },
]
