/**
 * The only global type of the package. An application extends it itself; Coatcheck augments no types of Express or of other packages.
 *
 *     declare module 'coatcheck' { interface Register { auth: typeof auth } }
 *
 * makes `RegisteredData` the data type of that application, for adapters whose framework has room for one session type only.
 */
import type { Coatcheck } from './coatcheck.ts'

/** Extended by applications to give `Session` their own type of data everywhere. */
// eslint-disable-next-line @typescript-eslint/no-empty-object-type -- empty until an application declares its member
export interface Register {}

/** Type of `session.data` as the application registered it. */
export type RegisteredData = Register extends {
  /** The application's `Coatcheck` instance. */
  readonly auth: Coatcheck<infer D>
}
  ? D
  : Record<string, unknown>
