/**
 * Parses key names: which key of `RedisKeys` a name belongs to, and which parts it contains. The patterns come from the names that
 * `keys.ts` builds, so that each name is defined only once.
 */
import { redisKeys, type RedisKeys } from './keys.ts'

/** A parsed key name. A part that the family does not have is absent. */
export interface KeyName {
  readonly family: KeyFamily
  readonly key: string
  readonly userKey: string
  /** Session id, without its user key. */
  readonly id: string
  /** Kind of a document or document set, or the record class of a canary. */
  readonly kind: string
  /** A keyed hash: of a `state`, a provider session, a document, … */
  readonly hash: string
}

export type KeyFamily = keyof RedisKeys

type Part = 'userKey' | 'id' | 'kind' | 'hash' | 'number'

/** Most frequent families first, because a scan tests each key of the server. */
const PARTS: { readonly [Family in KeyFamily]: readonly Part[] } = {
  session: ['userKey', 'id'],
  generation: ['userKey'],
  sessions: ['userKey'],
  tokens: ['userKey'],
  ended: ['userKey', 'id'],
  document: ['kind', 'hash'],
  documentSet: ['kind', 'hash'],
  signIn: ['hash'],
  providerSession: ['hash'],
  revocations: ['userKey'],
  appTokens: ['hash'],
  logoutToken: ['hash'],
  providerGate: ['hash'],
  revocationIndex: [],
  events: ['number'],
  canary: ['kind', 'number'],
  canaries: [],
  migrationReads: [],
}

const PATTERNS: { readonly [P in Part]: string } = {
  userKey: '(?<userKey>[A-Za-z0-9_-]{16})',
  id: '(?<id>[A-Za-z0-9_-]{22})',
  kind: '(?<kind>[^:]+)',
  hash: '(?<hash>[A-Za-z0-9_-]{16,64})',
  number: '\\d+',
}

/** In the order of docs/redis-keys.md. */
export const KEY_FAMILIES: readonly KeyFamily[] = Object.keys(redisKeys('')) as KeyFamily[]

/** @returns a function that parses names; it returns `null` for a name that Coatcheck did not build */
export function keyNameReader(prefix: string): (key: string) => KeyName | null {
  const families = (Object.keys(PARTS) as KeyFamily[]).map((family) => [family, patternOf(prefix, family)] as const)
  return (key) => {
    if (!key.startsWith(prefix)) return null
    for (const [family, pattern] of families) {
      const groups = pattern.exec(key)
      if (groups === null) continue
      const { userKey = '', id = '', kind = '', hash = '' } = groups.groups ?? {}
      return { family, key, userKey, id, kind, hash }
    }
    return null
  }
}

const SESSION_BEHIND_ANYTHING = new RegExp(`${sourceOf('', 'session')}$`, 's')

/** @returns the prefix, whatever it is, if the name is that of a session; `null` for any other name */
export function prefixOfSession(key: string): string | null {
  const at = key.search(SESSION_BEHIND_ANYTHING)
  return at < 0 ? null : key.slice(0, at)
}

function patternOf(prefix: string, family: KeyFamily): RegExp {
  return new RegExp(`^${sourceOf(prefix, family)}$`, 's')
}

function sourceOf(prefix: string, family: KeyFamily): string {
  // Each part appears in the name unchanged.
  const build = redisKeys(prefix)[family] as unknown as (...parts: readonly string[]) => string
  // No prefix contains control characters, so these placeholders can be found again.
  const name = build(...PARTS[family].map((_, i) => String.fromCharCode(i)))
  const escaped = name.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&')
  return escaped.replace(/[\0\x01]/g, (place) => placeOf(family, place.charCodeAt(0)))
}

function placeOf(family: KeyFamily, number: number): string {
  const part = PARTS[family][number]
  return part === undefined ? '' : PATTERNS[part]
}
