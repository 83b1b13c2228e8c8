/** `coatcheck/nextjs-auth0`: the store for the library of that name. */
import '../core/node-version.ts'

export * from '../app/drop-ins/nextjs-auth0.ts'
