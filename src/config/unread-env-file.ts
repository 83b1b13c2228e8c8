/**
 * Finds missing variables in an env file that the process has not loaded: the usual reason for a missing setting on the first day.
 * It runs only when an error is created. The library itself never reads settings from files.
 */
import { readFileSync } from 'node:fs'
import type { ErrorTexts } from '../core/errors.ts'

/** The files that the command line and frameworks read, in the order of their precedence. */
export const ENV_FILES = ['.env.local', '.env'] as const

/** @returns why and fix if a file of the working directory sets one of the variables; else empty texts */
export function unreadFileTexts(variables: readonly string[]): ErrorTexts {
  for (const file of ENV_FILES) {
    const found = variables.filter((name) => new RegExp(`^(?:export )?\\s*${name}\\s*=\\s*\\S`, 'm').test(textOf(file)))
    if (found.length === 0) continue
    return {
      why: `${found.join(', ')} ${found.length === 1 ? 'is' : 'are'} in ${file}, which Node does not read by itself.`,
      fix: `Start the program with node --env-file=${file}, or load the file before Coatcheck is used.`,
    }
  }
  return {}
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}
