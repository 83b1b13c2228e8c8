/** `coatcheck/testing`: conformance cases as data, for the drivers of this package and for those of others. */
import '../core/node-version.ts'
import type { ConformanceCase, SessionHarness } from './conformance.ts'
import { driverCases } from './session-cases/driver.ts'
import { endCases } from './session-cases/end.ts'
import { findCases } from './session-cases/find.ts'
import { limitCases } from './session-cases/limit.ts'
import { rotateCases } from './session-cases/rotate.ts'
import { schemaCases } from './session-cases/schema.ts'
import { signInCases } from './session-cases/sign-in.ts'
import { signInFaultCases } from './session-cases/sign-in-faults.ts'
import { writeCases } from './session-cases/write.ts'

export { adoptionScenarios, httpScenarios } from './http-scenarios.ts'
export type { AdoptionWorld, OldApplication } from './http-scenarios/adoption.ts'
export type { HttpWorld } from './http-scenarios/visitor.ts'
export { type ScenarioContext, type ScenarioData, type ScenarioRoute, scenarioRoutes } from './http-scenario-app.ts'
export type { ConformanceCase, SessionHarness } from './conformance.ts'
export { readCountsCases, type ReadCountsHarness } from './read-counts-cases.ts'
export { oldRecordCases, type OldRecordHarness } from './old-record-cases.ts'
export { documentCases } from './document-cases.ts'
export type { DocumentHarness } from './document-fixture.ts'
export { providerGateCases, type ProviderGateHarness } from './provider-gate-cases.ts'
export { revocationCases, type RevocationHarness } from './revocation-cases.ts'
export { tokenCases } from './token-cases.ts'
export { tokenDriverCases } from './token-driver-cases.ts'
export type { TokenHarness, TransactionHarness } from './token-fixture.ts'
export { providerSessionCases, type ProviderSessionHarness } from './provider-session-cases.ts'
export { transactionCases } from './transaction-cases.ts'
export {
  type FaultProxy,
  type FaultProxyOptions,
  type ProxyMode,
  splitRespReplies,
  startFaultProxy,
} from './fault-proxy.ts'
export { createFakeClock, type FakeClock } from './fake-clock.ts'

/** Everything that a `SessionDriver` must do. Run each case against an empty store. */
export const sessionCases: readonly ConformanceCase<SessionHarness>[] = [
  ...driverCases,
  ...findCases,
  ...writeCases,
  ...rotateCases,
  ...signInCases,
  ...signInFaultCases,
  ...endCases,
  ...limitCases,
  ...schemaCases,
]
