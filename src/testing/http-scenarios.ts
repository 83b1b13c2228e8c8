/**
 * The contract of every HTTP adapter, as data. A test mounts `scenarioRoutes` on its framework with the adapter under test, describes the
 * result as an `HttpWorld`, and runs each scenario. The scenarios may share one world, one after the other.
 */
import type { ConformanceCase } from './conformance.ts'
import { cacheScenarios } from './http-scenarios/caches.ts'
import { edgeScenarios } from './http-scenarios/edges.ts'
import { outageScenarios } from './http-scenarios/outages.ts'
import { requestScenarios } from './http-scenarios/requests.ts'
import { ticketScenarios } from './http-scenarios/tickets.ts'
import { type AdoptionWorld, adoptionCases } from './http-scenarios/adoption.ts'
import type { HttpWorld } from './http-scenarios/visitor.ts'

/** Scenarios that every adapter must pass. */
export const httpScenarios: readonly ConformanceCase<HttpWorld>[] = [
  ...ticketScenarios,
  ...requestScenarios,
  ...outageScenarios,
  ...edgeScenarios,
  ...cacheScenarios,
]

/** Scenarios for an adapter whose option `adopt` holds a bridge. */
export const adoptionScenarios: readonly ConformanceCase<AdoptionWorld>[] = adoptionCases
