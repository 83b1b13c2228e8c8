/**
 * An explanation of one text that users search for: a Coatcheck error code, a finding of `doctor`, or a message of Redis, Node, a client
 * library or a provider. `coatcheck explain` shows it, and docs/errors.md is generated from it.
 */
import type { ErrorCode } from '../../core/error-catalogue.ts'

/** Explains an error, a message or a finding: what it means, why it happens and what to do. */
export interface Explanation {
  /** Unique name: a code, or the distinctive word of the message. Also the heading in docs/errors.md. */
  readonly name: string
  /** `error`: a code of Coatcheck. `text`: a message of other software. `finding`: a finding of the doctor. */
  readonly kind: 'error' | 'text' | 'finding'
  /** Matches a log line that shows it. Has no `g` flag. */
  readonly match: RegExp
  /** The texts as other software prints them. Empty: the name is the text. */
  readonly seen: readonly string[]
  /** Why it happens. */
  readonly why: string
  /** The most likely cause. `null`: `why` names it. */
  readonly cause: string | null
  /** A command that shows whether this is the cause. `null`: none. */
  readonly check: string | null
  /** What to do. */
  readonly fix: string
  /** How to prevent it. `null`: `fix` does. */
  readonly prevent: string | null
  /** Names of related entries: the code that Coatcheck gives a text, or the texts that lead to a code. */
  readonly related: readonly string[]
  /** How Coatcheck throws the error. `null`: a text or a finding. */
  readonly thrown: {
    /** Name of the error class: `RedisError`. */
    readonly family: string
    /** HTTP status that routes and adapters answer with. */
    readonly status: number
    /** Whether the same call may succeed later without any change. */
    readonly retryable: boolean
  } | null
  /** Source of the facts, such as a page of Microsoft's documentation. `null`: Coatcheck itself. */
  readonly source: string | null
}

export type Catalogue = readonly Explanation[]

/** A text of other software, as its catalogue defines it. */
export interface ForeignText {
  readonly match: RegExp
  readonly seen: readonly string[]
  readonly why: string
  readonly check: string
  readonly fix: string
  readonly prevent: string
  /** Codes that Coatcheck gives the text. Empty: the text never reaches Coatcheck, or another entry reports it. */
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
