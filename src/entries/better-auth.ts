/** `coatcheck/better-auth`: the store for the library of that name. */
export * from '../app/drop-ins/better-auth.ts'
