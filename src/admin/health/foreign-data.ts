/**
 * Detects data that other session and token stores left in the same database: tokens in key names, tokens in plain text, keys without
 * expiry. It only reads keys whose names reveal their purpose, and only a few of them. It shows none of their content.
 */
import { counted } from '../../core/counted.ts'
import type { HealthNotes } from './health-report.ts'
import { inPortions, type SampledKey } from './key-sample.ts'
import { ifAllowed, replyText } from './server-info.ts'

const MAX_EXAMINED_KEYS = 100
const EXAMINED_BYTES = 4096

/** A JSON Web Token (RFC 7519): its header is an object in base64url. */
const JWT = /eyJ[\w-]{8,}\.[\w-]{8,}/
/** Key names of hand-written caches, session middleware, Auth.js adapters and MSAL caches. */
const OF_TOKENS =
  /(?:^|[:_-])(?:tokens?|msal(?:-cache)?|refresh_?tokens?|access_?tokens?|user-tokens|oauth|onedrive|accounts?)(?:$|[:_-])/i
const OF_SESSIONS = /(?:^|[:_-])(?:sess|sessions?|sids?|usersids)(?:$|[:_-])/i
/** Token fields in JSON, in hashes, and in MSAL's own format. */
const TOKEN_FIELD = /"?(?:(?:access|refresh|id)_?token|"?credential_type|secret"?\s*:)"?/i

const NAME = 'Other stores'

export async function checkForeignKeys(notes: HealthNotes, foreign: readonly SampledKey[]): Promise<void> {
  const named = foreign.filter(({ name }) => JWT.test(name))
  if (named.length > 0)
    notes.found('DOCTOR_TOKEN_IN_KEY_NAME', NAME, `${named.length} of ${counted(foreign.length, 'key')}`)
  const ofTokens = foreign.filter(({ name }) => OF_TOKENS.test(name))
  const ofSessions = foreign.filter(({ name }) => OF_SESSIONS.test(name))
  const suspects = [...new Set([...ofTokens, ...ofSessions])].slice(0, MAX_EXAMINED_KEYS)
  const plain = (await inPortions(suspects, holdsPlainTokens)).filter((holds) => holds).length
  if (plain > 0)
    notes.found('DOCTOR_PLAIN_TOKENS', NAME, `${plain} of ${counted(suspects.length, 'key')} that were looked into`)
  const lives = await inPortions(suspects, ({ name, port }) => ifAllowed(port, ['PTTL', name], name))
  const immortal = lives.filter((ttl) => ttl === -1).length
  if (immortal > 0) {
    notes.found(
      'DOCTOR_FOREIGN_WITHOUT_TTL',
      NAME,
      `${immortal} of ${counted(suspects.length, 'key')} of sessions or tokens`,
    )
  }
}

async function holdsPlainTokens({ name, port }: SampledKey): Promise<boolean> {
  const type = replyText(await ifAllowed(port, ['TYPE', name], name))
  if (type === 'string') {
    const begin = await ifAllowed(port, ['GETRANGE', name, '0', String(EXAMINED_BYTES - 1)], name)
    return begin !== null && (TOKEN_FIELD.test(replyText(begin)) || JWT.test(replyText(begin)))
  }
  if (type === 'hash') {
    const fields = (await ifAllowed(port, ['HKEYS', name], name)) as readonly unknown[] | null
    return fields?.some((field) => TOKEN_FIELD.test(String(field))) ?? false
  }
  return false
}
