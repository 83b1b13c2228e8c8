/**
 * Finds explanations for user input or a log: first by name, then by the texts that it contains. For unknown input it returns the nearest
 * names.
 */
import { explanations } from './catalogue.ts'
import type { Catalogue, Explanation } from './explanation.ts'

const NEAREST = 3
const MAX_NAMED_CODES = 20
/** Longer input is cut: no known text needs more to be recognized. */
const READ_CHARACTERS = 65_536
/** Matches only text with the shape of a Coatcheck or Entra ID code, which is safe to show again. */
const CODE_LIKE = /\b(?:COATCHECK|DOCTOR)_[A-Z_]{1,40}\b|\bAADSTS\d{4,8}\b/g

/** The result of `findExplanations()`: the entries that match, or the nearest ones. */
export type ExplanationMatch =
  | {
      /** The entries that match: at least one. */
      readonly found: readonly Explanation[]
    }
  | {
      /** Empty: no entry matches. */
      readonly found: readonly []
      /** The entries with the most similar names, at most three. Empty: none is similar. */
      readonly nearest: readonly Explanation[]
    }

/**
 * Finds explanations for a code, a name or the text of a message. Uses the built-in catalog only, without Redis or network.
 * @param asked case and punctuation at the end do not matter. Also works without a prefix: `REDIS_OOM`, `700082`
 */
export function findExplanations(asked: string, catalogue: Catalogue = explanations): ExplanationMatch {
  const text = asked.trim()
  const name = normal(text)
  const named = catalogue.filter((entry) => normal(entry.name) === name || normal(shortName(entry)) === name)
  if (named.length > 0) return { found: named }
  const line = text.slice(0, READ_CHARACTERS)
  const found = catalogue.filter((entry) => entry.match.test(line) || entry.seen.some((seen) => normal(seen) === name))
  return found.length > 0 ? { found } : { found: [], nearest: nearestTo(name, catalogue) }
}

/** The result of `LogReader.end()`. It holds no text of the log. */
export interface LogReport {
  /** Number of lines that were read. */
  readonly lines: number
  /** The entries that were recognized, the most frequent first. Empty: none. */
  readonly found: readonly {
    /** The entry. */
    readonly explanation: Explanation
    /** Number of lines that show it. */
    readonly lines: number
  }[]
  /** Codes with the shape of Coatcheck's or Entra ID's (`AADSTS…`) that the catalog does not know, at most 20. */
  readonly unknownCodes: readonly string[]
}

/** Recognizes known errors in a log that arrives in pieces. Uses bounded memory, and keeps no line. */
export class LogReader {
  readonly #catalogue: Catalogue
  readonly #counts = new Map<Explanation, number>()
  readonly #names: ReadonlySet<string>
  readonly #unknown = new Set<string>()
  #lines = 0
  #rest = ''

  constructor(catalogue: Catalogue = explanations) {
    this.#catalogue = catalogue
    this.#names = new Set(catalogue.map(({ name }) => name))
  }

  /** Reads a piece of the log. A line may continue in the next piece. */
  write(piece: string): void {
    const text = this.#rest + piece
    const end = text.length - text.lastIndexOf('\n') - 1 < READ_CHARACTERS ? text.lastIndexOf('\n') + 1 : text.length
    this.#rest = text.slice(end)
    this.#read(text.slice(0, end))
  }

  /** Reads the last line, and returns the report. */
  end(): LogReport {
    this.#read(this.#rest)
    this.#rest = ''
    const found = [...this.#counts].map(([explanation, lines]) => ({ explanation, lines }))
    return {
      lines: this.#lines,
      found: found.sort((a, b) => b.lines - a.lines),
      unknownCodes: [...this.#unknown].sort(),
    }
  }

  #read(text: string): void {
    if (text === '') return
    // Most log lines are unknown. An entry that does not match the whole piece matches none of its lines.
    const candidates = this.#catalogue.filter(({ match }) => match.test(text))
    const lines = text.split('\n')
    if (lines.at(-1) === '') lines.pop()
    this.#lines += lines.length
    for (const entry of candidates) {
      const count = lines.filter((line) => entry.match.test(line)).length
      if (count > 0) this.#counts.set(entry, (this.#counts.get(entry) ?? 0) + count)
    }
    for (const [code] of text.matchAll(CODE_LIKE)) {
      if (!this.#names.has(code) && this.#unknown.size < MAX_NAMED_CODES) this.#unknown.add(code)
    }
  }
}

/** No known text is longer, but pasted input may be. */
const MAX_INPUT_CHARS = 1000

function normal(text: string): string {
  return text
    .slice(0, MAX_INPUT_CHARS)
    .toLowerCase()
    .replace(/\s+/g, ' ')
    .replace(/[.:]+$/, '')
}

/** Shortens `COATCHECK_REDIS_OOM` to `REDIS_OOM`, and `AADSTS700082` to `700082`. */
function shortName({ name }: Explanation): string {
  return name.replace(/^(?:COATCHECK_|DOCTOR_|AADSTS)/, '')
}

/** Compares the letter pairs that two names share (Sørensen–Dice), which tolerates reordering and missing parts. */
function nearestTo(name: string, catalogue: Catalogue): readonly Explanation[] {
  const wanted = pairsOf(name)
  return catalogue
    .map((entry) => ({ entry, score: Math.max(likeness(wanted, entry.name), likeness(wanted, shortName(entry))) }))
    .filter(({ score }) => score >= 0.4)
    .sort((a, b) => b.score - a.score)
    .slice(0, NEAREST)
    .map(({ entry }) => entry)
}

function likeness(wanted: ReadonlySet<string>, name: string): number {
  const pairs = pairsOf(normal(name))
  let shared = 0
  for (const pair of wanted) if (pairs.has(pair)) shared++
  return wanted.size + pairs.size === 0 ? 0 : (2 * shared) / (wanted.size + pairs.size)
}

function pairsOf(text: string): ReadonlySet<string> {
  const letters = text.slice(0, 200)
  return new Set(Array.from({ length: Math.max(0, letters.length - 1) }, (_, i) => letters.slice(i, i + 2)))
}
