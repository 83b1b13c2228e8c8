/** Discovery (OpenID Connect Discovery section 3) and the key set, seen by a sign-in. */
import { exportJWK, generateKeyPair, generateSecret } from 'jose'
import { type Body, type HostileProvider, json, newKey, sign } from '../support/hostile-provider.ts'
import { ACCEPTED, DISCOVERY, type HostileCase, REJECTED, UNAVAILABLE } from './case.ts'

type Change = HostileCase['change']

const metadata =
  (more: Body): Change =>
  ({ script }) =>
    void (script.metadata = (honest) => ({ ...honest, ...more }))
const without =
  (name: string): Change =>
  ({ script }) =>
    void (script.metadata = ({ [name]: _, ...rest }) => rest)
const metadataAnswer =
  (answer: (honest: Body) => Response): Change =>
  ({ script }) =>
    void (script.metadata = answer)
const keys =
  (change: (honest: Body, provider: HostileProvider) => Body | Response): Change =>
  (provider) =>
    void (provider.script.keySet = (honest) => change(honest, provider))

export const metadataCases: readonly HostileCase[] = [
  {
    does: 'names another issuer in its metadata',
    result: `${DISCOVERY} issuer`,
    change: metadata({ issuer: 'https://evil.example' }),
    module: 'oidcc-client-test-discovery-issuer-mismatch',
  },
  {
    does: 'names its issuer with a trailing slash',
    result: `${DISCOVERY} issuer`,
    change: metadata({ issuer: 'https://idp.test/' }),
  },
  { does: 'names no issuer', result: `${DISCOVERY} metadata`, change: without('issuer') },
  { does: 'names no jwks_uri', result: `${DISCOVERY} jwks_uri`, change: without('jwks_uri') },
  { does: 'names no token_endpoint', result: `${DISCOVERY} token_endpoint`, change: without('token_endpoint') },
  {
    does: 'names no authorization_endpoint',
    result: `${DISCOVERY} authorization_endpoint`,
    change: without('authorization_endpoint'),
  },
  {
    does: 'names a token endpoint with plain http',
    result: `${DISCOVERY} token_endpoint`,
    change: metadata({ token_endpoint: 'http://idp.test/token' }),
  },
  {
    does: 'names a key set with plain http',
    result: `${DISCOVERY} jwks_uri`,
    change: metadata({ jwks_uri: 'http://idp.test/keys' }),
  },
  {
    does: 'names a key set in a data URL',
    result: `${DISCOVERY} jwks_uri`,
    change: metadata({ jwks_uri: 'data:application/json,{"keys":[]}' }),
  },
  {
    does: 'names an authorization endpoint that is a script',
    result: `${DISCOVERY} authorization_endpoint`,
    change: metadata({ authorization_endpoint: 'javascript:alert(1)' }),
  },
  {
    does: 'names a token endpoint that is a list',
    result: `${DISCOVERY} token_endpoint`,
    change: metadata({ token_endpoint: ['https://idp.test/token'] }),
  },
  {
    does: 'answers discovery with status 500',
    result: `${DISCOVERY} OAUTH_RESPONSE_IS_NOT_CONFORM`,
    change: metadataAnswer(() => json({}, { status: 500 })),
  },
  {
    does: 'redirects discovery to another host',
    result: `${DISCOVERY} OAUTH_RESPONSE_IS_NOT_CONFORM`,
    change: metadataAnswer(() => new Response(null, { status: 302, headers: { location: 'https://evil.example' } })),
  },
  {
    does: 'answers discovery with a page',
    result: `${DISCOVERY} OAUTH_RESPONSE_IS_NOT_JSON`,
    change: metadataAnswer(() => new Response('<html>', { headers: { 'content-type': 'text/html' } })),
  },
  {
    does: 'answers discovery with a list',
    result: `${DISCOVERY} metadata`,
    change: metadataAnswer((honest) => json([honest])),
  },
  {
    does: 'answers discovery with 2 MiB',
    result: `${DISCOVERY} ANSWER_TOO_LARGE`,
    change: metadataAnswer((honest) => json({ ...honest, padding: 'x'.repeat(2 * 1024 * 1024) })),
  },
  {
    does: 'has fields in its metadata that no specification knows',
    result: ACCEPTED,
    change: metadata({ 'https://idp.test/extension': { nested: true } }),
    module: 'oidcc-client-test-discovery-openid-config',
  },
]

export const keySetCases: readonly HostileCase[] = [
  {
    does: 'publishes its keys at the jwks_uri of its metadata',
    result: ACCEPTED,
    change: () => undefined,
    module: 'oidcc-client-test-discovery-jwks-uri-keys',
  },
  {
    does: 'answers the key set with status 503',
    result: `${UNAVAILABLE} KEY_SET_STATUS`,
    change: keys(() => json({}, { status: 503 })),
  },
  {
    does: 'redirects the key set to another host',
    result: `${UNAVAILABLE} KEY_SET_STATUS`,
    change: keys(() => new Response(null, { status: 302, headers: { location: 'https://evil.example/keys' } })),
  },
  {
    does: 'answers the key set with what is not JSON',
    result: `${UNAVAILABLE} KEY_SET_INVALID`,
    change: keys(() => new Response('<html>')),
  },
  {
    does: 'publishes a key set without a list of keys',
    result: `${UNAVAILABLE} KEY_SET_INVALID`,
    change: keys(() => json({ keys: 'none' })),
  },
  {
    does: 'publishes a list of texts in place of keys',
    result: `${UNAVAILABLE} KEY_SET_INVALID`,
    change: keys(() => json({ keys: ['a', 'b'] })),
  },
  {
    does: 'publishes a key set of 2 MiB',
    result: `${UNAVAILABLE} ANSWER_TOO_LARGE`,
    change: keys((honest) => json({ ...honest, padding: 'x'.repeat(2 * 1024 * 1024) })),
  },
  { does: 'publishes no key', result: `${REJECTED} signing-key`, change: keys(() => ({ keys: [] })) },
  {
    does: 'publishes the key for encryption only',
    result: `${REJECTED} signing-key`,
    change: keys((_, { key }) => ({ keys: [{ ...key.jwk, use: 'enc' }] })),
  },
  {
    does: 'publishes the key for another algorithm',
    result: `${REJECTED} signing-key`,
    change: keys((_, { key }) => ({ keys: [{ ...key.jwk, alg: 'RS512' }] })),
  },
  {
    does: 'publishes two keys with one id',
    result: `${REJECTED} signing-key`,
    change: async (provider) => {
      const { jwk } = await newKey(provider.key.id)
      provider.script.keySet = ({ keys: own }) => ({ keys: [...(own as object[]), jwk] })
    },
  },
  {
    does: 'publishes an RSA key of 1,024 bits',
    result: `${REJECTED} signing-key`,
    change: keys((_, { key }) => ({ keys: [{ ...key.jwk, n: String(key.jwk.n).slice(0, 171) }] })),
  },
  {
    does: 'publishes a symmetric key under the id of its key',
    result: `${REJECTED} signing-key`,
    change: async (provider) => {
      const secret = { ...(await exportJWK(await generateSecret('HS256', { extractable: true }))), kid: 'one' }
      provider.script.keySet = () => ({ keys: [secret] })
    },
  },
  {
    does: 'publishes an unusable key next to the right one',
    result: ACCEPTED,
    change: keys(({ keys: own }) => ({ keys: [{ kty: 'unheard-of', kid: 'x' }, ...(own as object[])] })),
  },
  {
    does: 'publishes its only key without an id, and signs without one',
    result: ACCEPTED,
    change: (provider) => {
      provider.script.keySet = () => ({ keys: [{ ...provider.key.jwk, kid: undefined }] })
      provider.script.idToken = (claims) => sign(claims, provider.key, { kid: undefined })
    },
    module: 'oidcc-client-test-kid-absent-single-jwks',
  },
  {
    does: 'publishes several keys, and signs without an id',
    result: `${REJECTED} signing-key`,
    change: async (provider) => {
      const { jwk } = await newKey('two')
      provider.script.keySet = ({ keys: own }) => ({ keys: [...(own as object[]), jwk] })
      provider.script.idToken = (claims) => sign(claims, provider.key, { kid: undefined })
    },
    module: 'oidcc-client-test-kid-absent-multiple-jwks',
  },
  {
    does: 'changes its key between two sign-ins, without overlap',
    result: ACCEPTED,
    change: async (provider) => {
      const next = await newKey('two')
      let asked = 0
      // The first answer is the key set of before.
      provider.script.keySet = (honest) => (asked++ === 0 ? honest : { keys: [next.jwk] })
      provider.script.idToken = (claims) => sign(claims, next)
    },
    module: 'oidcc-client-test-signing-key-rotation',
  },
  {
    does: 'changes its key just before it signs',
    result: ACCEPTED,
    change: (provider) => {
      provider.script.idToken = async (claims) => {
        provider.key = await newKey('just-now')
        return sign(claims, provider.key)
      }
    },
    module: 'oidcc-client-test-signing-key-rotation-just-before-signing',
  },
  {
    does: 'signs with ES256',
    result: ACCEPTED,
    change: async (provider) => {
      provider.key = await newKey('ec', 'ES256')
    },
  },
  {
    does: 'signs with PS256',
    result: ACCEPTED,
    change: async (provider) => {
      provider.key = await newKey('pss', 'PS256')
    },
  },
  {
    does: 'signs with an algorithm that its metadata do not list',
    result: `${REJECTED} algorithm`,
    change: async (provider) => {
      provider.key = await newKey('ec', 'ES384')
    },
  },
  {
    does: 'publishes the private key with the public one',
    result: `${REJECTED} signing-key`,
    change: async (provider) => {
      const { privateKey } = await generateKeyPair('RS256', { extractable: true })
      const jwk = { ...(await exportJWK(privateKey)), kid: 'one', use: 'sig', alg: 'RS256' }
      provider.script.keySet = () => ({ keys: [jwk] })
      provider.key = { ...provider.key, privateKey }
    },
  },
]
