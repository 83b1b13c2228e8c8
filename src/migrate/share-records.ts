/** Chooses the implementation of `SharedRecords` by the mode of the origin. */
import type { MigrationMode } from './migration-mode.ts'
import { createRecordsInMoveMode } from './records-in-move-mode.ts'
import { createRecordsInReadMode } from './records-in-read-mode.ts'
import type { SharedRecordDeps, SharedRecords } from './shared-records.ts'

export function shareRecords(mode: MigrationMode, deps: SharedRecordDeps): SharedRecords {
  return mode === 'move' ? createRecordsInMoveMode(deps) : createRecordsInReadMode(deps)
}
