/**
 * Parses claims challenges. If a token does not satisfy a resource (Entra ID's continuous access evaluation), the resource answers 401 with
 * `WWW-Authenticate: Bearer error="insufficient_claims", claims="…"`. The grammar is that of RFC 9110 section 11. By Microsoft's
 * specification the claims are base64 of JSON. Some resources send base64url or plain JSON.
 */
import { parseJson } from '../core/json.ts'

const HEADER_CHARACTERS = 16_384
const CLAIMS_CHARACTERS = 8192
// A parameter: token, `=`, and a token or a quoted string (RFC 9110 sections 5.6.2 and 5.6.4). A name begins
// only where no token character precedes it. Otherwise each suffix of a long name is one more attempt, and the time is quadratic.
const PARAMETER = /(?<![!#$%&'*+.^_`|~\w-])([!#$%&'*+.^_`|~\w-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))/g
// A quoted string, or the rest of the text after a quote without an end. The match includes the rest, so that no quote in it is tried
// again.
const QUOTED = /"(?:[^"\\]|\\.)*("?)/g
// A scheme: a token that no `=` follows, at the start or after a comma.
const SCHEME = /(?:^|,)\s*([!#$%&'*+.^_`|~\w-]+)(?=\s+[!#$%&'*+.^_`|~\w-]+\s*=|\s*(?:,|$))/g

/** Returns the claims to refresh with, as JSON. `null`: the header has no such challenge, or the challenge is unusable. */
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
  // Blanks out quoted texts for the search of schemes: a quoted text may contain any characters.
  const unquoted = header.replace(QUOTED, (text, end: string) => (end === '' ? text : '"'.repeat(text.length)))
  const schemes = [...unquoted.matchAll(SCHEME)]
  return schemes.flatMap((scheme, i) => {
    if (scheme[1]?.toLowerCase() !== 'bearer') return []
    const part = header.slice(scheme.index + scheme[0].length, schemes[i + 1]?.index ?? header.length)
    const parameters = new Map<string, string>()
    for (const [, name = '', quoted, token] of part.matchAll(PARAMETER)) {
      const value = quoted === undefined ? (token ?? '') : quoted.replace(/\\(.)/g, '$1')
      // The first value of a name counts. A repeated name makes the challenge invalid anyway.
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
