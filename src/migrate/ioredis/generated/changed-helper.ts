/** Tells a generated file that a person changed from one that a formatter changed. */
import { composeHelper, type HelperNeeds, readHelper } from './compose.ts'

/** The characters that formatters add, remove and replace. An escape is among them, because it depends on the kind of the quotes. */
const LAYOUT = /[\s;,()'"`|\\]/g

/**
 * Returns false if this version of the codemod generated the text, for redis 5 or 6, and only a formatter has changed it since. Returns true
 * for a text of another version as well, because this version cannot compose it.
 */
export function isChangedByHand(text: string, language: HelperNeeds['language']): boolean {
  const { names, chained } = readHelper(text)
  const needs = { names: new Set(names), chained: new Set(chained), language }
  return ([5, 6] as const).every((target) => wordsOf(composeHelper({ ...needs, target })) !== wordsOf(text))
}

function wordsOf(text: string): string {
  return text.replace(LAYOUT, '')
}
