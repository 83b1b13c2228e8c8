/**
 * What an examination writes down: one line per thing that was looked at, with a finding where something is wrong. Checks
 * write into it and decide nothing else; `cause` is what the exit code says. Texts are safe to show to anybody.
 */
import { errorWords, isCoatcheckError } from '../../core/errors.ts'
import { safeText } from '../../core/redact.ts'
import type { Cause, Severity } from './catalogue/entry.ts'
import { causeOf } from './cause.ts'
import { type FindingCode, findingCatalogue } from './finding-catalogue.ts'

/** What a check looks at. */
export type HealthGroup = 'configuration' | 'redis' | 'provider' | 'data'

/** A finding of the doctor: what is wrong, why it matters and what to do. */
export interface Finding {
  /** Of the catalogue of findings, or of errors for what could not be used at all. `coatcheck explain` knows both. */
  readonly code: string
  /** `error` is a problem; `warning` is not urgent. */
  readonly severity: Severity
  /** What is wrong, in a few words. */
  readonly title: string
  /** Why it matters. */
  readonly why: string
  /** What to do. */
  readonly fix: string
}

/** One check and its result. */
export interface HealthCheck {
  /** What the check looks at. */
  readonly group: HealthGroup
  /** What was looked at, in a word or two. */
  readonly name: string
  /** `skipped`: could not be looked at. */
  readonly state: 'ok' | 'found' | 'skipped'
  /** What was seen. */
  readonly says: string
  /** Of several servers the one that it is about, else `null`. */
  readonly server: string | null
  /** What is wrong; `null` when the check passed or was skipped. */
  readonly finding: Finding | null
}

/** All checks of an examination. */
export interface HealthReport {
  /** The checks in the order in which they ran. */
  readonly checks: readonly HealthCheck[]
  /** How many findings are errors. */
  readonly problems: number
  /** How many findings are warnings. */
  readonly warnings: number
  /** How many checks could not be made. */
  readonly skipped: number
  /** Of the first problem; `null` without one. */
  readonly cause: Cause | null
}

/** Writes the lines of one group. */
export interface HealthNotes {
  ok(name: string, says: string, server?: string | null): void
  /** @param says what is the matter this time: figures and names, nothing secret */
  found(code: FindingCode, name: string, says: string, server?: string | null): void
  /** Something could not be done at all. Anything but an error of ours is passed on. */
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

/** The catalogue of errors has no titles: its `why` begins with a sentence that is one. */
function titleOf(why: string): string {
  return /^[^.:]*/.exec(why)?.[0] ?? why
}
