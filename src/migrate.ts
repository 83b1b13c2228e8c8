/** `coatcheck/migrate`: what reads the sessions and tokens of another library while an application moves to Coatcheck. */
import './core/node-version.ts'

export type { OldRecord, OldRecordDriver, OldRecordWritten } from './migrate/old-record-driver.ts'
