/** Splits an explanation into labeled texts, in reading order. `coatcheck explain` and docs/errors.md show the same parts. */
import type { Explanation } from './explanation.ts'

/** One labeled part of an explanation. */
export interface Section {
  /** The label, such as `Why` or `What to do`. */
  readonly label: string
  /** The texts: one for prose, one or more otherwise. */
  readonly texts: readonly string[]
  /** `prose`: sentences. `printed`: texts as other software prints them. `names`: names of other entries. */
  readonly as: 'prose' | 'printed' | 'names'
}

/** Splits an explanation into labeled parts, in reading order. Parts without a text are left out. */
export function sectionsOf(explanation: Explanation): readonly Section[] {
  const { kind, seen, why, cause, check, fix, prevent, related, thrown, source } = explanation
  const prose = (label: string, text: string | null): Section[] =>
    text === null ? [] : [{ label, texts: [text], as: 'prose' }]
  const many = (label: string, texts: readonly string[], as: 'printed' | 'names'): Section[] =>
    texts.length === 0 ? [] : [{ label, texts, as }]
  return [
    ...many('You see', seen, 'printed'),
    ...prose(kind === 'error' ? 'Meaning' : 'Why', why),
    ...prose('Likely cause', cause),
    ...prose('How to check', check),
    ...prose('What to do', fix),
    ...prose('How to prevent', prevent),
    ...prose('Retryable', thrown && (thrown.retryable ? 'Yes.' : 'No.')),
    ...many(kind === 'error' ? 'Seen as' : 'Coatcheck says', related, 'names'),
    ...prose('Source', source),
  ]
}

/** Returns the anchor of an entry in docs/errors.md, by GitHub's rule for headings, without `#`. */
export function anchorOf(name: string): string {
  return name
    .toLowerCase()
    .replace(/[^\p{L}\p{N}_ -]/gu, '')
    .replace(/ /g, '-')
}
