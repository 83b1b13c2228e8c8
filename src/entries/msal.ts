/** `coatcheck/msal`: the store for the library of that name. */
import '../core/node-version.ts'

export * from '../app/drop-ins/msal.ts'
