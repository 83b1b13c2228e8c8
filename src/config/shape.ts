/**
 * Checks the shape of options against the table: every level, own properties only. It runs when `coatcheck()`, a preset or a store is
 * called. It reads no environment, so a build without secrets can evaluate the module.
 */
import { ConfigError } from '../core/errors.ts'
import { own } from '../core/json.ts'
import { describeValue, safeText } from '../core/redact.ts'
import { isPlainObject, section } from './kinds.ts'
import { refuse, refuseValue } from './refusal.ts'
import { optionName, type Setting, type SettingRoot, settings } from './settings.ts'

/**
 * @param root identifies the options in the table; messages use it too.
 * @throws {ConfigError} `COATCHECK_CONFIG_UNKNOWN_OPTION` with the nearest known name, `COATCHECK_CONFIG_INVALID`
 */
export function checkShape(root: SettingRoot, options: unknown): void {
  if (options === undefined) return
  const name = root === '' ? 'coatcheck()' : root
  if (!isPlainObject(options))
    throw refuse({ option: name }, `got ${describeValue(options)}, expected an object of options`)
  checkLevel(root, '', options)
}

/**
 * Runs `checkShape`, and returns the caller's own options, section by section: inherited properties count as absent.
 * All code that reads options reads this result.
 */
export function ownOptions<T extends object>(root: SettingRoot, options: T): T {
  checkShape(root, options)
  return ownLevel(root, '', options)
}

function ownLevel<T extends object>(root: SettingRoot, path: string, level: T): T {
  const given = own(level) as Record<string, unknown>
  for (const { root: of, option, kind } of settings) {
    if (of !== root || kind !== section || !option?.startsWith(path)) continue
    const name = option.slice(path.length)
    const value = given[name]
    if (isPlainObject(value)) given[name] = ownLevel(root, `${option}.`, value)
  }
  return given as T
}

function checkLevel(root: SettingRoot, path: string, level: Record<string, unknown>): void {
  for (const [key, value] of Object.entries(level)) {
    const option = path + key
    const setting = settings.find((s) => s.root === root && s.option === option)
    if (!setting) throw unknownOption(root, option)
    // An undefined option counts as absent: `keys: process.env.COATCHECK_KEYS`.
    if (value === undefined) continue
    if (!setting.kind.accepts(value)) throw refuseValue(setting, value)
    if (setting.kind === section) checkLevel(root, `${option}.`, value as Record<string, unknown>)
  }
}

/** Options of connect-redis, and their replacements. */
const CONNECT_REDIS_FIXES: Readonly<Record<string, string>> = {
  client: "Write store: redisStore({ client }), with redisStore of 'coatcheck/redis'.",
  serializer: 'Remove it: sessions are stored as JSON, sealed.',
  scanCount: 'Remove it: the store chooses how many keys one SCAN reads.',
  disableTouch:
    'Remove it: a touch moves the end of a session as its cookie says. For an end that stays, return the seconds that are left from ttlSeconds: (data) => ….',
  disableTTL: 'Remove it: every session ends. Set ttlSeconds for a longer life, up to 315,360,000 (3,650 days).',
}

function unknownOption(root: SettingRoot, option: string): ConfigError {
  const shown = safeText([root, option].filter(Boolean).join('.'), 60)
  const fix =
    root === 'CoatcheckStore()' && Object.hasOwn(CONNECT_REDIS_FIXES, option) ? CONNECT_REDIS_FIXES[option] : null
  if (fix) {
    return new ConfigError('COATCHECK_CONFIG_UNKNOWN_OPTION', {
      message: `${shown} is an option of connect-redis. ${fix}`,
      fix,
      isFixInMessage: true,
      details: { option: shown },
    })
  }
  const known = settings.filter((s) => s.root === root && s.option !== null)
  const near = nearest(option, known)
  return new ConfigError('COATCHECK_CONFIG_UNKNOWN_OPTION', {
    message: `Unknown option ${shown}.${near ? ` Did you mean ${optionName(near)}?` : ''}`,
    details: { option: shown, suggestion: near && optionName(near) },
  })
}

/** Returns the known option with the fewest edits, if they are few. An option of another level is compared by its last name. */
function nearest(option: string, known: readonly Setting[]): Setting | undefined {
  const wanted = option.toLowerCase()
  const leaf = lastName(wanted)
  let best: { readonly setting: Setting; readonly score: number } | undefined
  for (const setting of known) {
    const candidate = (setting.option ?? '').toLowerCase()
    const sameLevel = edits(wanted, candidate)
    const otherLevel = edits(leaf, lastName(candidate)) + 0.5
    const score = Math.min(sameLevel, otherLevel)
    if (score <= Math.max(1.5, leaf.length / 3) && (!best || score < best.score)) best = { setting, score }
  }
  return best?.setting
}

function lastName(option: string): string {
  return option.slice(option.lastIndexOf('.') + 1)
}

/** Levenshtein distance with a limit: a name that is much longer than an option is not near to it. */
function edits(a: string, b: string): number {
  if (Math.abs(a.length - b.length) > 8) return Number.POSITIVE_INFINITY
  let row = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const change = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(change, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1))
    }
    row = next
  }
  return row[b.length] ?? 0
}
