/**
 * Reads the environment variables of the settings table. An empty or blank variable counts as not set: `REDIS_PREFIX=` in an env
 * file means "none", and a deployment without a secret must not pass an empty one.
 */
import { refuseValue } from './refusal.ts'
import { settingOfVariable } from './settings.ts'

export type Environment = Readonly<Record<string, string | undefined>>

/** Returns the environment of this process. No other code reads `process.env`. */
export function processEnvironment(): Environment {
  return process.env
}

/** Returns the trimmed text of a variable, or `undefined`. Accepts any name and checks nothing. */
export function variable(env: Environment, name: string): string | undefined {
  // Own variables only: `process.env` inherits from `Object.prototype` like any other object.
  const value = Object.hasOwn(env, name) ? env[name]?.trim() : undefined
  return value === '' ? undefined : value
}

/** Returns the value of a variable of the table. @throws {ConfigError} `COATCHECK_CONFIG_INVALID` */
export function checkedVariable(env: Environment, name: string): string | undefined {
  const value = variable(env, name)
  const setting = settingOfVariable(name)
  if (value !== undefined && !setting.kind.accepts(value)) throw refuseValue(setting, value, name)
  return value
}

/** Returns a whole number in decimal digits, or `undefined`. @throws {ConfigError} `COATCHECK_CONFIG_INVALID` */
export function integerVariable(env: Environment, name: string): number | undefined {
  const value = variable(env, name)
  if (value === undefined) return undefined
  const setting = settingOfVariable(name)
  const number = /^\d+$/.test(value) ? Number(value) : NaN
  if (!setting.kind.accepts(number)) throw refuseValue(setting, value, name)
  return number
}

/** A group of variables that belong together, `AZURE_AD_…` or `AZURE_…`: the set values, and all names. */
export interface Group<Field extends string> {
  readonly values: Readonly<Partial<Record<Field, string>>>
  readonly names: Readonly<Record<Field, string>>
}

/** Returns the groups in the order of `groups`. Values of two groups are never mixed, because they may belong to two applications. */
export function readGroups<Field extends string>(
  env: Environment,
  groups: readonly Readonly<Record<Field, string>>[],
): readonly Group<Field>[] {
  return groups.map((names) => {
    const values: Partial<Record<Field, string>> = {}
    for (const field in names) {
      const value = variable(env, names[field])
      if (value !== undefined) values[field] = value
    }
    return { values, names }
  })
}
