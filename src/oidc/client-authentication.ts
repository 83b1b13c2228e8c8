/**
 * Authenticates the application at a provider: by secret, by a certificate (`private_key_jwt`, RFC 7523), or by a
 * token that its platform writes to a file (workload identity federation). Files are read on demand: the platform replaces a federated
 * token every hour, and a certificate when it is renewed.
 */
import { createHash, type webcrypto, X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { importPKCS8 } from 'jose'
import {
  type ClientAuth,
  ClientSecretBasic,
  ClientSecretPost,
  modifyAssertion,
  None,
  PrivateKeyJwt,
} from 'openid-client'
import type { ResolvedProvider } from '../config/types.ts'
import { ConfigError } from '../core/errors.ts'

const JWT_BEARER_ASSERTION = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer' // RFC 7523 section 2.2
/** Entra ID and FAPI 2.0 (section 5.4.1) require PS256; RS256 is being phased out. */
const ALGORITHM = 'PS256'
/** How long a loaded certificate is used before its file is read again. */
const CERTIFICATE_MS = 60_000

/** The library awaits the result, although its type does not say so. */
type AsyncClientAuth = (...args: Parameters<ClientAuth>) => void | Promise<void>

/** @throws {ConfigError} during the request, when a file cannot be read or has the wrong content */
export function clientAuthentication(provider: ResolvedProvider, monotonic: () => number): AsyncClientAuth {
  const { credential } = provider
  switch (credential.kind) {
    case 'certificate':
      return byCertificate(provider, credential, monotonic)
    case 'federated':
      return byFederatedToken(provider, credential.tokenFile)
    case 'secret':
      return bySecret(credential.secret)
    case 'none':
      return None()
  }
}

/** Uses `client_secret_post`, unless the provider announces that it accepts Basic only. */
function bySecret(secret: string): ClientAuth {
  const post = ClientSecretPost(secret)
  const basic = ClientSecretBasic(secret)
  return (server, client, body, headers) => {
    const methods = server.token_endpoint_auth_methods_supported
    const basicOnly = methods?.includes('client_secret_basic') === true && !methods.includes('client_secret_post')
    ;(basicOnly ? basic : post)(server, client, body, headers)
  }
}

interface SigningKey {
  readonly key: webcrypto.CryptoKey
  /** RFC 7515 section 4.1.8. */
  readonly thumbprint: string
}

function byCertificate(
  provider: ResolvedProvider,
  credential: Extract<ResolvedProvider['credential'], { kind: 'certificate' }>,
  monotonic: () => number,
): AsyncClientAuth {
  let loaded: { readonly signing: Promise<SigningKey>; readonly untilMs: number } | null = null
  return async (server, client, body, headers) => {
    if (!loaded || loaded.untilMs < monotonic()) {
      loaded = { signing: loadSigningKey(provider.name, credential), untilMs: monotonic() + CERTIFICATE_MS }
    }
    const { key, thumbprint } = await loaded.signing.catch((error: unknown) => {
      loaded = null
      throw error
    })
    const authenticate: AsyncClientAuth = PrivateKeyJwt(key, {
      [modifyAssertion](header, payload) {
        header['x5t#S256'] = thumbprint
        // Entra ID requires its token endpoint here. The library's default is the issuer, which FAPI 2.0 requires.
        if (provider.preset === 'entra' && server.token_endpoint !== undefined) payload['aud'] = server.token_endpoint
      },
    })
    await authenticate(server, client, body, headers)
  }
}

async function loadSigningKey(
  provider: string,
  { pem, file }: { readonly pem: string | null; readonly file: string | null },
): Promise<SigningKey> {
  const text = pem ?? (await readCredential(provider, file ?? ''))
  try {
    const certificate = new X509Certificate(blockOf(text, 'CERTIFICATE'))
    const key = await importPKCS8(blockOf(text, 'PRIVATE KEY'), ALGORITHM)
    return { key, thumbprint: createHash('sha256').update(certificate.raw).digest('base64url') }
  } catch {
    // The original error may quote the key.
    throw new ConfigError('COATCHECK_CONFIG_INVALID', {
      message: `The client certificate of provider "${provider}" must be PEM with an RSA key in PKCS #8 ("PRIVATE KEY") and its certificate.`,
      details: { provider },
    })
  }
}

function byFederatedToken(provider: ResolvedProvider, tokenFile: string): AsyncClientAuth {
  return async (_server, client, body) => {
    const token = (await readCredential(provider.name, tokenFile)).trim()
    body.set('client_id', client.client_id)
    body.set('client_assertion_type', JWT_BEARER_ASSERTION)
    body.set('client_assertion', token)
  }
}

async function readCredential(provider: string, file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw new ConfigError('COATCHECK_CONFIG_INVALID', {
      message: `The credential file of provider "${provider}" could not be read (${code ?? 'unknown error'}).`,
      details: { provider, reason: code },
    })
  }
}

function blockOf(text: string, label: string): string {
  const begin = text.indexOf(`-----BEGIN ${label}-----`)
  const end = text.indexOf(`-----END ${label}-----`, begin)
  if (begin < 0 || end < 0) throw new TypeError(`no ${label}`)
  return text.slice(begin, end + `-----END ${label}-----`.length)
}
