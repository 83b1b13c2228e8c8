/**
 * Simulates a provider with a wrong clock. Its tokens are signed again with every time moved. For example, an ID token from the future is
 * what an application with a late clock would receive. Lifetimes in seconds (`expires_in`) stay unchanged.
 */
import { createHash } from 'node:crypto'
import { CompactSign, decodeJwt, decodeProtectedHeader, importJWK, type JWK, type JWTPayload } from 'jose'

type Body = Record<string, unknown>

/** @param key private key with which the provider signs, RS256 */
export async function skewTokens(body: Body, byMs: number, key: JWK): Promise<Body> {
  const bySeconds = Math.round(byMs / 1000)
  const skewed = { ...body }
  if (isJwt(body.access_token)) skewed.access_token = await resign(body.access_token, bySeconds, key)
  if (isJwt(body.id_token)) {
    // Core section 3.1.3.6: the ID token contains a hash of its access token.
    const hash = createHash('sha256').update(String(skewed.access_token)).digest()
    const atHash = hash.subarray(0, hash.length / 2).toString('base64url')
    skewed.id_token = await resign(body.id_token, bySeconds, key, { at_hash: atHash })
  }
  return skewed
}

function isJwt(token: unknown): token is string {
  return typeof token === 'string' && token.split('.').length === 3
}

async function resign(token: string, bySeconds: number, key: JWK, hashes: { at_hash?: string } = {}): Promise<string> {
  const claims: JWTPayload = decodeJwt(token)
  // Entra ID always sets `nbf`. Without it, a token from the future would be accepted.
  const moved: JWTPayload = { ...(claims.iat !== undefined && { nbf: claims.iat }), ...claims }
  for (const name of ['iat', 'nbf', 'exp', 'auth_time']) {
    const value = moved[name]
    if (typeof value === 'number') moved[name] = value + bySeconds
  }
  if (claims.at_hash !== undefined) Object.assign(moved, hashes)
  const { typ } = decodeProtectedHeader(token)
  return new CompactSign(Buffer.from(JSON.stringify(moved)))
    .setProtectedHeader({ alg: 'RS256', kid: key.kid ?? '', ...(typ !== undefined && { typ }) })
    .sign(await importJWK(key, 'RS256'))
}
