/**
 * Entry `coatcheck/dev`: a local identity provider shaped like Entra ID, and a protected API that accepts its access tokens.
 * For development and tests; refuses to start in production.
 */
import '../core/node-version.ts'
export type { Counters } from './counters.ts'
export { type DevProvider, devUserList, startDevProvider } from './dev-provider.ts'
export type { RedisFault } from './fault-grammar.ts'
export type { ActiveFault, FaultSwitches, RedisSwitch } from './fault-switches.ts'
export type { Fault, FaultOptions, Faults } from './faults.ts'
export type { DevApi, DevProviderOptions, RefreshTokenRotation } from './options.ts'
export { type OrdersApi, type OrdersApiOptions, startOrdersApi } from './orders-api.ts'
export type { DevUserName } from './people.ts'
