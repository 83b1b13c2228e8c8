/**
 * What is known about one text that people look for: an error code of ours, a finding of `doctor`, or the words of Redis, Node, a
 * client library or a provider. `coatcheck explain` shows it, docs/errors.md is written from it.
 */
import type { ErrorCode } from '../../core/error-catalogue.ts'

/** What an error, a message or a finding means and what to do about it. */
export interface Explanation {
  /** By which it is looked up: a code, or the word that stands out in the text. Unique over all catalogues, and the title on the page. */
  readonly name: string
  /** `error`: a code of Coatcheck. `text`: a message of other software. `finding`: a finding of the doctor. */
  readonly kind: 'error' | 'text' | 'finding'
  /** Finds it in a line of a log. Has no `g` flag. */
  readonly match: RegExp
  /** The texts as they are printed, for those that have more to them than their name. */
  readonly seen: readonly string[]
  /** Why it happens. */
  readonly why: string
  /** What is usually behind it, where `why` only says what it means. */
  readonly cause: string | null
  /** One command that shows whether it is that. */
  readonly check: string | null
  /** What to do. */
  readonly fix: string
  /** How to keep it from happening again; `null` when `fix` says it all. */
  readonly prevent: string | null
  /** Other entries by name: the code that Coatcheck makes of a text, the texts that lead to a code. */
  readonly related: readonly string[]
  /** For errors of ours. */
  readonly thrown: {
    /** Name of the error class: `RedisError`. */
    readonly family: string
    /** HTTP status that routes and adapters answer with. */
    readonly status: number
    /** Whether the same call may succeed later without any change. */
    readonly retryable: boolean
  } | null
  /** Where the facts come from, when they are somebody else's. */
  readonly source: string | null
}

export type Catalogue = readonly Explanation[]

/** A text that is not ours, as its catalogue writes it down. */
export interface ForeignText {
  readonly match: RegExp
  readonly seen: readonly string[]
  readonly why: string
  readonly check: string
  readonly fix: string
  readonly prevent: string
  /** What Coatcheck makes of it. Empty: it never reaches us, or is told by another one. */
  readonly codes: readonly ErrorCode[]
  readonly source?: string
}

export function foreignCatalogue(texts: Readonly<Record<string, ForeignText>>): Catalogue {
  return Object.entries(texts).map(([name, { codes, source = null, ...text }]) => ({
    ...text,
    name,
    kind: 'text',
    cause: null,
    related: codes,
    thrown: null,
    source,
  }))
}
