/** `coatcheck/admin`: the operations of the command line as functions. */
import '../core/node-version.ts'

export * from '../app/operator-access.ts'
export { type BulkAccess, type BulkSource, type OldRecords } from '../app/bulk-access.ts'
export { configuredKeys } from '../app/configured-keys.ts'
export {
  BULK_FORMATS,
  BULK_KINDS,
  type BulkFormat,
  type BulkKind,
  type BulkMigration,
  createDropIn,
  type DropInChoice,
  dropInsOf,
  openBulkMigration,
} from '../app/bulk-migration.ts'
export { searchUser, type UserSearch } from '../app/bulk-users.ts'
export {
  createMsalCache,
  guideTokens,
  type GuideTokensChoice,
  type MsalCacheChoice,
  type OldTokens,
  openOldTokens,
  openTokenMigration,
  type TokenMigration,
  tokenOriginsOf,
} from '../app/bulk-tokens.ts'
export { adoptAllTokens, type TokenAdoptionOptions, type TokenAdoptionReport } from '../admin/token-adoption.ts'
export {
  adoptOldRecords,
  type AdoptionOptions,
  type AdoptionProgress,
  type AdoptionReport,
  type BulkOrigin,
  type FamilySurvey,
  type LifeCounts,
  type OldContext,
  type OldRecordSurvey,
  surveyOldRecords,
} from '../admin/adoption.ts'
export { type Activity, activityBetween } from '../admin/activity.ts'
export type { Explanation } from '../admin/explain/explanation.ts'
export {
  findExplanations,
  type ExplanationMatch,
  LogReader,
  type LogReport,
} from '../admin/explain/find-explanation.ts'
export { anchorOf, type Section, sectionsOf } from '../admin/explain/sections.ts'
export {
  explainSession,
  type SessionSummary,
  type SessionBecause,
  type SessionState,
  type SessionTimes,
} from '../admin/explain-session.ts'
export type { AdminContext, RevocationMarks, ServerContext } from '../admin/context.ts'
export type { Cause, CatalogueFinding, Severity } from '../admin/health/catalogue/entry.ts'
export { findingCatalogue, type FindingCode } from '../admin/health/finding-catalogue.ts'
export type { ExaminationOptions } from '../admin/health/health-context.ts'
export type { Finding, HealthCheck, HealthGroup, HealthReport } from '../admin/health/health-report.ts'
export { type AddedKey, addKey } from '../admin/key-addition.ts'
export { explainKey, type KeyExplanation } from '../admin/key-explanation.ts'
export { type FamilyCount, type KeySurvey, surveyKeys, type SurveyOptions } from '../admin/key-survey.ts'
export { type OrphanKind, ORPHANS } from '../admin/orphans.ts'
export { repairKeys, type RepairOptions, type RepairReport } from '../admin/repair.ts'
export {
  migrationStatus,
  type MigrationStatus,
  type MigrationStatusOptions,
  type NextStep,
  type OldKeyCount,
  type OriginStatus,
  type ReadsByOutcome,
} from '../admin/migration-status.ts'
export { type KeyUse, rotateKeys, type RotationOptions, type RotationReport } from '../admin/rotation.ts'
export { type Latency, measureLatency } from '../admin/latency.ts'
export { readServers, type ServerReadings } from '../admin/server-readings.ts'
export { type SessionSummaryText, summaryTextOf } from '../admin/session-summary-text.ts'
export { isSessionId } from '../admin/session-address.ts'
export {
  endSessions,
  type RevocationPlan,
  type RevocationReport,
  type RevocationTarget,
  planRevocation,
} from '../admin/session-revocation.ts'
export type { SessionCensus } from '../admin/session-tally.ts'
export { type FieldSize, listSessions, type SessionDetails, showSession, type ShownSession } from '../admin/sessions.ts'
export { SIZING_DEFAULTS, type Sizing, type SizingInput, sizeOf } from '../admin/sizing.ts'
export { type Statistics, statistics, type StatisticsOptions } from '../admin/statistics.ts'
export {
  deleteTokens,
  type RefreshReport,
  refreshTokens,
  tokensOf,
  type UserTokensStatus,
  usersWithTokens,
} from '../admin/tokens.ts'
export { findUser, type FoundUser, userIdOf, type UserQuery } from '../admin/users.ts'
