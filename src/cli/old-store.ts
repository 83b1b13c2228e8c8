/** The Redis of the old library, if it is not the configured one: from `--old-url`, `OLD_REDIS_URL` and `OLD_REDIS_PASSWORD`. */
import { InvalidArgumentError } from 'commander'
import { variable } from '../config/environment.ts'
import type { Environment } from '../config/environment.ts'
import { whyNoRedisUrl } from './flag-values.ts'

export interface OldStoreFlags {
  readonly oldUrl?: string
}

/** Validates `--old-url`. The shell history and the process list show flags, so a password is refused. */
export function oldUrl(given: string): string {
  const why = whyNoRedisUrl(given)
  if (why === undefined) return given
  throw new InvalidArgumentError(why.replace('REDIS_PASSWORD', 'OLD_REDIS_PASSWORD'))
}

/** @returns `null`: the old keys are in the configured Redis */
export function oldTarget(
  { oldUrl: flag }: OldStoreFlags,
  env: Environment,
): { readonly url: string; readonly password: string } | null {
  const url = flag ?? variable(env, 'OLD_REDIS_URL')
  return url === undefined ? null : { url, password: variable(env, 'OLD_REDIS_PASSWORD') ?? '' }
}
