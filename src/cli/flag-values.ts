/** What flags take, checked while they are parsed. */
import { InvalidArgumentError } from 'commander'

export function wholeNumber(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text)
    if (/^\d+$/.test(text) && value >= least && value <= most) return value
    throw new InvalidArgumentError(`It wants a whole number from ${least} to ${most}.`)
  }
}

/** @returns what is wrong with it, for people and without showing it; nothing when it will do */
export function whyNoRedisUrl(given: string): string | undefined {
  if (!URL.canParse(given) || !/^(rediss?|unix):$/.test(new URL(given).protocol))
    return 'It looks like redis://host:6379.'
  // Whatever is typed ends up in a history, or in a recording.
  return new URL(given).password === '' ? undefined : 'A password belongs into REDIS_PASSWORD.'
}
