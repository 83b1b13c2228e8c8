/** Validates flag values during parsing. */
import { InvalidArgumentError } from 'commander'

export function wholeNumber(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text)
    if (/^\d+$/.test(text) && value >= least && value <= most) return value
    throw new InvalidArgumentError(`It must be a whole number from ${least} to ${most}.`)
  }
}

/** @returns the problem, as text that does not show the value; `undefined` if the value is valid */
export function whyNoRedisUrl(given: string): string | undefined {
  if (!URL.canParse(given) || !/^(rediss?|unix):$/.test(new URL(given).protocol))
    return 'It looks like redis://host:6379.'
  // Command lines end up in the shell history or in a recording.
  return new URL(given).password === '' ? undefined : 'A password belongs into REDIS_PASSWORD.'
}

/** Accepts one word that is stored in plain text. */
export function plainWord(text: string): string {
  if (/^[a-z0-9-]{1,40}$/i.test(text)) return text
  throw new InvalidArgumentError(
    'It must be one word of up to 40 letters, digits and "-": Redis stores it unencrypted.',
  )
}

/** Accepts seconds, including fractions. */
export function seconds(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text)
    if (/^\d+(\.\d+)?$/.test(text) && value >= least && value <= most) return value
    throw new InvalidArgumentError(`It must be seconds from ${least} to ${most}.`)
  }
}

/** Accepts a duration as in the options, such as `24h`. */
export function lifeTime(text: string): string {
  if (/^\d+(ms|s|m|h|d)$/.test(text)) return text
  throw new InvalidArgumentError('It must be a number and a unit, such as 24h or 7d.')
}
