/** `coatcheck/testing`: conformance cases as data, for the drivers of this package and for those of others. */
import '../core/node-version.ts'
import type { ConformanceCase, SessionHarness } from '../testing/conformance.ts'
import { driverCases } from '../testing/session-cases/driver.ts'
import { driverRevocationCases } from '../testing/session-cases/driver-revocations.ts'
import { endCases } from '../testing/session-cases/end.ts'
import { findCases } from '../testing/session-cases/find.ts'
import { limitCases } from '../testing/session-cases/limit.ts'
import { outageCases } from '../testing/session-cases/outage.ts'
import { rotateCases } from '../testing/session-cases/rotate.ts'
import { schemaCases } from '../testing/session-cases/schema.ts'
import { signInCases } from '../testing/session-cases/sign-in.ts'
import { signInFaultCases } from '../testing/session-cases/sign-in-faults.ts'
import { writeCases } from '../testing/session-cases/write.ts'

export { adoptionScenarios, httpScenarios } from '../testing/http-scenarios.ts'
export type { AdoptionWorld, OldApplication } from '../testing/http-scenarios/adoption.ts'
export type { HttpWorld } from '../testing/http-scenarios/visitor.ts'
export {
  type ScenarioContext,
  type ScenarioData,
  type ScenarioRoute,
  scenarioRoutes,
} from '../testing/http-scenario-app.ts'
export type { ConformanceCase, SessionHarness } from '../testing/conformance.ts'
export { readCountsCases, type ReadCountsHarness } from '../testing/read-counts-cases.ts'
export { oldRecordCases, type OldRecordHarness } from '../testing/old-record-cases.ts'
export { documentCases } from '../testing/document-cases.ts'
export type { DocumentHarness } from '../testing/document-fixture.ts'
export { providerGateCases, type ProviderGateHarness } from '../testing/provider-gate-cases.ts'
export { revocationCases, type RevocationHarness } from '../testing/revocation-cases.ts'
export { tokenCases } from '../testing/token-cases.ts'
export { tokenDriverCases } from '../testing/token-driver-cases.ts'
export type { TokenHarness, TransactionHarness } from '../testing/token-fixture.ts'
export { providerSessionCases, type ProviderSessionHarness } from '../testing/provider-session-cases.ts'
export { transactionCases } from '../testing/transaction-cases.ts'
export {
  type FaultProxy,
  type FaultProxyOptions,
  type ProxyMode,
  splitRespReplies,
  startFaultProxy,
} from '../testing/fault-proxy.ts'
export { createFakeClock, type FakeClock } from '../testing/fake-clock.ts'

/** Everything that a `SessionDriver` must do. Run each case against an empty store. */
export const sessionCases: readonly ConformanceCase<SessionHarness>[] = [
  ...driverCases,
  ...driverRevocationCases,
  ...findCases,
  ...writeCases,
  ...rotateCases,
  ...signInCases,
  ...signInFaultCases,
  ...endCases,
  ...limitCases,
  ...outageCases,
  ...schemaCases,
]
