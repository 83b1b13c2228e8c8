/** Checks whether the old records of a migration are still in use, by the counts that all processes report. */
import type { Clock } from '../../core/clock.ts'
import { counted } from '../../core/counted.ts'
import { isCoatcheckError } from '../../core/errors.ts'
import type { OriginReads } from '../../migrate/read-counts-driver.ts'
import type { Store } from '../../stores/store.ts'
import { nextStep, readsWithin, usedReads } from '../migration-status.ts'
import type { HealthNotes } from './health-report.ts'

const NAME = 'Migration'

/** Adds no line without a migration, or if the Redis user may not read the counts. */
export async function checkMigration(
  notes: HealthNotes,
  store: Pick<Store, 'migrationReads'>,
  clock: Clock,
): Promise<void> {
  let origins: readonly OriginReads[]
  try {
    origins = await (await store.migrationReads()).read()
  } catch (error) {
    // Every migration needs this right, so without the right there is no migration.
    if (!isCoatcheckError(error) || error.code !== 'COATCHECK_REDIS_NOPERM') notes.failed(NAME, error)
    return
  }
  for (const reads of origins) {
    const inUse = usedReads(readsWithin(reads, 1, clock.now()))
    const { origin } = reads
    if (inUse > 0) {
      notes.found(
        'DOCTOR_OLD_KEYS_IN_USE',
        NAME,
        `${origin}: old keys still read by ${counted(inUse, 'request')} in the last hour`,
      )
    } else if (nextStep(reads, clock.now()) === 'remove') {
      const text =
        reads.lastReadAtMs === null
          ? 'no old record was ever found'
          : 'nothing has been read from the old format for 7 days'
      notes.found('DOCTOR_OLD_KEYS_UNUSED', NAME, `${origin}: ${text}`)
    } else notes.ok(NAME, `${origin}: no old record found in the last hour`)
  }
}
