/** The comments by which the codemod asks a person, and by which a person answers. */

const ERROR = 'coatcheck-codemod-error'
const MARK = /\/\/ coatcheck-codemod-(error|ignore)\b[ \t]*(.*)$/

/** What stands in the comments directly above a line. */
export type MarkState =
  | { readonly state: 'none' }
  /** A mark of an earlier run that is not resolved. */
  | { readonly state: 'marked'; readonly code: string }
  /** A person has checked the place. */
  | { readonly state: 'ignored'; readonly reason: string }

/** Text of a new comment. */
export function markText(code: string, advice: string): string {
  return `// ${ERROR} ${code}: ${advice}`
}

/** @param lines of the file; @param line index of the line with the code */
export function markStateAt(lines: readonly string[], line: number): MarkState {
  let markState: MarkState = { state: 'none' }
  for (let at = line - 1; at >= 0; at -= 1) {
    const [, kind, rest = ''] = MARK.exec(lines[at] ?? '') ?? []
    if (kind === undefined) break
    if (kind === 'ignore') return { state: 'ignored', reason: rest.trim() }
    markState = { state: 'marked', code: rest.split(':', 1)[0]?.trim() ?? '' }
  }
  return markState
}

/** How many marks wait for a person. */
export function countMarks(text: string): number {
  return text.split(/\r?\n/).filter((line) => MARK.exec(line)?.[1] === 'error').length
}
