/** The type of an entry in the catalogue of findings. */

/** Severity of a finding. `error` fails `coatcheck doctor`; `warning` fails it only with `--strict`. */
export type Severity = 'error' | 'warning'

/** Cause of a problem, for scripts that see only the exit code of `coatcheck doctor`; see docs/doctor.md. */
export type Cause = 'check' | 'redis-unreachable' | 'redis-refused' | 'provider' | 'configuration'

/** A finding as the catalog describes it. It holds no value of any configuration. */
export interface CatalogueFinding {
  /** Severity of the finding. */
  readonly severity: Severity
  /** Cause, which decides the exit code. */
  readonly cause: Cause
  /** What is wrong, in one sentence or less. */
  readonly title: string
  /** Why it matters. */
  readonly why: string
  /** What to do. */
  readonly fix: string
}

export const error = { severity: 'error', cause: 'check' } as const
export const warning = { severity: 'warning', cause: 'check' } as const
