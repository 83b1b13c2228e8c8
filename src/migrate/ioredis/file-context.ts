/** The parts of a file that a rule reads and edits. */
import type { Analysis } from './analysis.ts'
import type { Bindings } from './bindings.ts'
import type { FileEdit } from './file-edit.ts'

export interface FileContext {
  readonly analysis: Analysis
  readonly file: FileEdit
  readonly bindings: Bindings
}
