/**
 * Claims challenges: a resource that wants more than the token says (Entra ID's continuous access evaluation) answers 401 with
 * `WWW-Authenticate: Bearer error="insufficient_claims", claims="…"`. The grammar is that of RFC 9110 section 11; the claims
 * are base64 of JSON by Microsoft's specification, and base64url or plain JSON in the wild.
 */
import { parseJson } from '../core/json.ts'

const HEADER_CHARACTERS = 16_384
const CLAIMS_CHARACTERS = 8192
// A parameter: token, `=`, and a token or a quoted string (RFC 9110 sections 5.6.2 and 5.6.4). A name begins
// where no token character precedes: if each suffix of a long name were one more attempt, the time would grow with its square.
const PARAMETER = /(?<![!#$%&'*+.^_`|~\w-])([!#$%&'*+.^_`|~\w-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))/g
// A quoted string, or the rest behind a quote without an end. The rest is part of the match, so no quote in it is tried again.
const QUOTED = /"(?:[^"\\]|\\.)*("?)/g
// A scheme: a token that no `=` follows, at the start or after a comma.
const SCHEME = /(?:^|,)\s*([!#$%&'*+.^_`|~\w-]+)(?=\s+[!#$%&'*+.^_`|~\w-]+\s*=|\s*(?:,|$))/g

/** The claims to refresh with, as JSON; `null` when the header holds no such challenge, or one that cannot be used. */
export function claimsOfChallenge(header: string | null): string | null {
  if (header === null || header.length > HEADER_CHARACTERS) return null
  for (const parameters of bearerChallenges(header)) {
    if (parameters.get('error') !== 'insufficient_claims') continue
    const claims = decoded(parameters.get('claims') ?? '')
    if (claims !== null) return claims
  }
  return null
}

function bearerChallenges(header: string): Map<string, string>[] {
  // Blanked out for the search of schemes: a quoted text may hold anything.
  const unquoted = header.replace(QUOTED, (text, end: string) => (end === '' ? text : '"'.repeat(text.length)))
  const schemes = [...unquoted.matchAll(SCHEME)]
  return schemes.flatMap((scheme, i) => {
    if (scheme[1]?.toLowerCase() !== 'bearer') return []
    const part = header.slice(scheme.index + scheme[0].length, schemes[i + 1]?.index ?? header.length)
    const parameters = new Map<string, string>()
    for (const [, name = '', quoted, token] of part.matchAll(PARAMETER)) {
      const value = quoted === undefined ? (token ?? '') : quoted.replace(/\\(.)/g, '$1')
      // The first of a name counts, as a repeated one makes the challenge invalid anyway.
      if (!parameters.has(name.toLowerCase())) parameters.set(name.toLowerCase(), value)
    }
    return [parameters]
  })
}

function decoded(value: string): string | null {
  if (value === '' || value.length > CLAIMS_CHARACTERS) return null
  const text = value.trimStart().startsWith('{') ? value : Buffer.from(value, 'base64').toString('utf8')
  try {
    const claims: unknown = parseJson(text)
    return typeof claims === 'object' && claims !== null && !Array.isArray(claims) ? text : null
  } catch {
    return null
  }
}
