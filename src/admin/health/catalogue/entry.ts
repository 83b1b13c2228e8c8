/** The shape of an entry of the catalogue of findings. */

/** `error` fails the examination, `warning` only with `--strict`. */
export type Severity = 'error' | 'warning'

/** What an error means to a script that only sees the exit code. */
export type Cause = 'check' | 'redis-unreachable' | 'redis-refused' | 'provider' | 'configuration'

/** A finding as the catalog describes it. */
export interface CatalogueFinding {
  /** `error` decides the exit code; `warning` does so with `--strict` only. */
  readonly severity: Severity
  /** What the finding concerns; it decides the exit code. */
  readonly cause: Cause
  /** What is the matter, in a few words. */
  readonly title: string
  /** Why it matters. */
  readonly why: string
  /** What to do. */
  readonly fix: string
}

export const error = { severity: 'error', cause: 'check' } as const
export const warning = { severity: 'warning', cause: 'check' } as const
