/** The two modes of every origin. */

/**
 * How an origin treats old records. `read`: old processes may still run; the old record decides whether a session exists and what it
 * holds. `move`: no old process runs; each old record is taken over at its first read, and then removed.
 */
export type MigrationMode = 'read' | 'move'
