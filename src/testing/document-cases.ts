/** The contract of a `DocumentDriver`, and of the sessions of other libraries on top of it. */
import type { ConformanceCase } from './conformance.ts'
import { driverCases } from './document-cases/driver.ts'
import { hostSessionUserCases } from './document-cases/host-session-users.ts'
import { hostSessionCases } from './document-cases/host-sessions.ts'
import type { DocumentHarness } from './document-fixture.ts'

/** Cases of document drivers and of the sessions of other libraries. */
export const documentCases: readonly ConformanceCase<DocumentHarness>[] = [
  ...driverCases,
  ...hostSessionCases,
  ...hostSessionUserCases,
]
