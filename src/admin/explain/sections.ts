/** An explanation as labelled texts, in reading order: what `coatcheck explain` shows is what docs/errors.md says. */
import type { Explanation } from './explanation.ts'

/** One labeled part of an explanation. */
export interface Section {
  /** Label that stands in front: `Why`, `Fix`. */
  readonly label: string
  /** One text, or several of a kind: texts as they are printed, names of other entries. */
  readonly texts: readonly string[]
  /** `names` lead to other entries, `printed` stand as they are. */
  readonly as: 'prose' | 'printed' | 'names'
}

/** Splits an explanation into labeled parts, in the order in which pages and terminals show them. */
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

/** Where the page has it: GitHub's rule for headings. */
export function anchorOf(name: string): string {
  return name
    .toLowerCase()
    .replace(/[^\p{L}\p{N}_ -]/gu, '')
    .replace(/ /g, '-')
}
