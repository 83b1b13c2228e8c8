/** Tells a generated file that a person changed from one that a formatter changed. */
import { composeHelper, type HelperNeeds, readHelper } from './compose.ts'

/** What formatters add, remove and replace between the words of a program, and escapes, whose number depends on the quotes. */
const LAYOUT = /[\s;,()'"`|\\]/g

/**
 * False if the codemod generated the text for redis 5 or 6, whatever a formatter did to it since. True also for a file that another
 * version of the codemod generated: its text cannot be composed any more.
 */
export function isChangedByHand(text: string, language: HelperNeeds['language']): boolean {
  const { names, chained } = readHelper(text)
  const needs = { names: new Set(names), chained: new Set(chained), language }
  return ([5, 6] as const).every((target) => wordsOf(composeHelper({ ...needs, target })) !== wordsOf(text))
}

function wordsOf(text: string): string {
  return text.replace(LAYOUT, '')
}
