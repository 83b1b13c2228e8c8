/** `coatcheck/nextjs-auth0`: the store for the library of that name. */
export * from '../app/drop-ins/nextjs-auth0.ts'
