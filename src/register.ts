/**
 * The one global type, and only for those who ask for it: nothing here augments Express' or anybody's types by itself.
 *
 *     declare module 'coatcheck' { interface Register { auth: typeof auth } }
 *
 * makes `RegisteredData` the data type of that application, for adapters whose host has room for one session type only.
 */
import type { Coatcheck } from './coatcheck.ts'

// eslint-disable-next-line @typescript-eslint/no-empty-object-type -- empty until an application declares its member
export interface Register {}

export type RegisteredData = Register extends { readonly auth: Coatcheck<infer D> } ? D : Record<string, unknown>
