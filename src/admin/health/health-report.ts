/**
 * Collects the results of an examination: one line per check, with a finding if something is wrong. Checks only write into it. `cause`
 * decides the exit code. Texts contain no secrets, so they are safe to share.
 */
import { errorWords, isCoatcheckError } from '../../core/errors.ts'
import { safeText } from '../../core/redact.ts'
import type { Cause, Severity } from './catalogue/entry.ts'
import { causeOf } from './cause.ts'
import { type FindingCode, findingCatalogue } from './finding-catalogue.ts'

/** The subject of a check. */
export type HealthGroup = 'configuration' | 'redis' | 'provider' | 'data'

/** A finding of the doctor: what is wrong, why it matters and what to do. */
export interface Finding {
  /**
   * A code of `findingCatalogue` (`DOCTOR_…`), or an error code (`COATCHECK_…`) when something could not be used at all. `coatcheck
   * explain` knows both.
   */
  readonly code: string
  /** `error`: fix it. `warning`: not urgent. */
  readonly severity: Severity
  /** What is wrong, in one sentence or less. */
  readonly title: string
  /** Why it matters. */
  readonly why: string
  /** What to do. */
  readonly fix: string
}

/** One check and its result. */
export interface HealthCheck {
  /** The subject of the check. */
  readonly group: HealthGroup
  /** Name of the check, in a word or two. */
  readonly name: string
  /** `ok`: the check passed. `found`: see `finding`. `skipped`: the check could not run. */
  readonly state: 'ok' | 'found' | 'skipped'
  /** What the check found: one line, without secrets. */
  readonly says: string
  /** Address of the server that the check concerns. `null`: all servers, or none. */
  readonly server: string | null
  /** What is wrong. `null`: the check passed or was skipped. */
  readonly finding: Finding | null
}

/** The result of `examineHealth()`. It holds no secret. */
export interface HealthReport {
  /** The checks in the order in which they ran. */
  readonly checks: readonly HealthCheck[]
  /** Number of findings with the severity `error`. */
  readonly problems: number
  /** Number of findings with the severity `warning`. */
  readonly warnings: number
  /** Number of checks that could not run. */
  readonly skipped: number
  /** Cause of the first problem. `null`: there is no problem. */
  readonly cause: Cause | null
}

/** Collects the lines of one group. */
export interface HealthNotes {
  ok(name: string, says: string, server?: string | null): void
  /** @param says details of this case: figures and names, nothing secret */
  found(code: FindingCode, name: string, says: string, server?: string | null): void
  /** Notes a check that failed with an error. Throws any error that is not a Coatcheck error. */
  failed(name: string, error: unknown, server?: string | null): void
  skipped(name: string, says: string, server?: string | null): void
}

export class HealthRecord {
  readonly #checks: HealthCheck[] = []
  #cause: Cause | null = null

  notes(group: HealthGroup): HealthNotes {
    const add = (
      check: Omit<HealthCheck, 'group' | 'server' | 'finding'>,
      server: string | null,
      finding?: Finding,
    ) => {
      this.#checks.push({ group, ...check, says: safeText(check.says, 400), server, finding: finding ?? null })
    }
    return {
      ok: (name, says, server = null) => add({ name, says, state: 'ok' }, server),
      skipped: (name, says, server = null) => add({ name, says, state: 'skipped' }, server),
      found: (code, name, says, server = null) => {
        const { cause, ...entry } = findingCatalogue[code]
        if (entry.severity === 'error') this.#cause ??= cause
        add({ name, says, state: 'found' }, server, { code, ...entry })
      },
      failed: (name, error, server = null) => {
        if (!isCoatcheckError(error)) throw error
        this.#cause ??= causeOf(error)
        const { code, why, fix } = error
        add({ name, says: errorWords(error).what, state: 'found' }, server, {
          code,
          severity: 'error',
          title: titleOf(why),
          why,
          fix,
        })
      },
    }
  }

  report(): HealthReport {
    const count = (severity: Severity): number => this.#checks.filter((c) => c.finding?.severity === severity).length
    return {
      checks: this.#checks,
      problems: count('error'),
      warnings: count('warning'),
      skipped: this.#checks.filter(({ state }) => state === 'skipped').length,
      cause: this.#cause,
    }
  }
}

/** The error catalogue has no titles. The first sentence of `why` serves as one. */
function titleOf(why: string): string {
  return /^[^.:]*/.exec(why)?.[0] ?? why
}
