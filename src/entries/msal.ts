/** `coatcheck/msal`: the store for the library of that name. */
export * from '../app/drop-ins/msal.ts'
