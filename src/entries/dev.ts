/**
 * Entry `coatcheck/dev`: a local identity provider shaped like Entra ID, and a protected API that accepts its access tokens.
 * For development and tests; refuses to start in production.
 */
import '../core/node-version.ts'
export type { Counters } from '../dev/counters.ts'
export { type DevProvider, devUserList, startDevProvider } from '../dev/dev-provider.ts'
export type { RedisFault } from '../dev/fault-grammar.ts'
export type { ActiveFault, FaultSwitches, RedisSwitch } from '../dev/fault-switches.ts'
export type { Fault, FaultOptions, Faults } from '../dev/faults.ts'
export type { DevApi, DevProviderOptions, RefreshTokenRotation } from '../dev/options.ts'
export { type OrdersApi, type OrdersApiOptions, startOrdersApi } from '../dev/orders-api.ts'
export type { DevUserName } from '../dev/people.ts'
