/**
 * Creates configuration errors of one form: the option or variable, the value it got, and the value it expects. They show a value that is
 * no secret. They never show a secret, not even its length.
 */
import { ConfigError, type ErrorTexts } from '../core/errors.ts'
import { showValue } from '../core/redact.ts'
import { unreadFileTexts } from './unread-env-file.ts'
import { optionName, type Setting } from './settings.ts'

/** The source of the value, as messages name it. */
export type Source = { readonly variable: string } | { readonly option: string }

function sourceName(source: Source): string {
  return 'variable' in source ? `environment variable ${source.variable}` : `option ${source.option}`
}

/** Returns `COATCHECK_CONFIG_INVALID` for a value that the table refuses. */
export function refuseValue(setting: Setting, value: unknown, variable?: string): ConfigError {
  const source = variable === undefined ? { option: optionName(setting) } : { variable }
  const why = setting.kind.why?.(value)
  return refuse(source, `got ${setting.secret ? typeName(value) : showValue(value)}, expected ${setting.kind.wants}`, {
    ...(why !== undefined && { why }),
    fix: `Set ${sourceName(source)} to ${setting.kind.wants}.`,
    isFixInMessage: true,
  })
}

/**
 * Returns `COATCHECK_CONFIG_INVALID` for a combination of settings. `complaint` contains no value of a secret.
 * @param texts `reason`: a fixed word, if a caller must distinguish this complaint. Without a `fix` the complaint must
 *   say what to write
 */
export function refuse(
  source: Source,
  complaint: string,
  { reason, ...texts }: ErrorTexts & { readonly reason?: string } = {},
): ConfigError {
  return new ConfigError('COATCHECK_CONFIG_INVALID', {
    message: capitalised(`${sourceName(source)}: ${complaint}.`),
    ...(texts.fix === undefined && { fix: `Correct ${sourceName(source)} as the message says.`, isFixInMessage: true }),
    ...texts,
    details: { ...source, ...(reason !== undefined && { reason }) },
  })
}

/**
 * Returns `COATCHECK_CONFIG_MISSING`, which says where the value can be set.
 * @param texts why it is needed in this case, and a command that makes a value
 */
export function missing(setting: Setting, texts: ErrorTexts = {}): ConfigError {
  const option = optionName(setting)
  const [variable] = setting.env
  const variables = setting.env.length > 0 ? ` (or ${setting.env.join(', or ')})` : ''
  const where = variable === undefined ? `option ${option}` : `environment variable ${variable}, or option ${option}`
  return new ConfigError('COATCHECK_CONFIG_MISSING', {
    message: `Option ${option}${variables} has no value; expected ${setting.kind.wants}.`,
    fix: `Set ${where}.`,
    ...texts,
    ...unreadFileTexts(setting.env),
    details: { option, variable },
  })
}

function typeName(value: unknown): string {
  return value === null ? 'null' : Array.isArray(value) ? 'an array' : `a value of type ${typeof value}`
}

function capitalised(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}
