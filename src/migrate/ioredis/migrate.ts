/** `coatcheck migrate ioredis` without a terminal. Loads ts-morph only when it runs: the package is optional. */
import type { MigrationOptions, MigrationReport } from './report.ts'

export type { FileReport, MigrationOptions, MigrationReport, Site, SiteState } from './report.ts'

/** `ts-morph` is not installed. */
export class TsMorphMissing extends Error {
  override readonly name = 'TsMorphMissing'

  constructor() {
    super('The codemod needs the package ts-morph. Install it: npm install --save-dev ts-morph')
  }
}

/**
 * Moves a project from ioredis to node-redis. Writes files only with the mode `write`.
 * @throws {TsMorphMissing} if ts-morph is not installed
 */
export async function migrateIoredis(options: MigrationOptions): Promise<MigrationReport> {
  try {
    await import('ts-morph')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ERR_MODULE_NOT_FOUND') throw new TsMorphMissing()
    throw error
  }
  const { runMigration } = await import('./run.ts')
  return runMigration(options)
}
