/** The contract of a `DocumentDriver`, and of the sessions of other libraries on top of it. */
import type { ConformanceCase } from './conformance.ts'
import { driverCases } from './document-cases/driver.ts'
import { librarySessionUserCases } from './document-cases/library-session-users.ts'
import { librarySessionCases } from './document-cases/library-sessions.ts'
import type { DocumentHarness } from './document-fixture.ts'

/** Cases of document drivers and of the sessions of other libraries. */
export const documentCases: readonly ConformanceCase<DocumentHarness>[] = [
  ...driverCases,
  ...librarySessionCases,
  ...librarySessionUserCases,
]
