/** What a rule gets to know about the file that it looks at. */
import type { Analysis } from './analysis.ts'
import type { Bindings } from './bindings.ts'
import type { FileEdit } from './file-edit.ts'

export interface FileContext {
  readonly analysis: Analysis
  readonly file: FileEdit
  readonly bindings: Bindings
}
