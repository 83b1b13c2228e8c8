/** `coatcheck/admin`: what operators do, as functions. */
export * from '../app/operator-access.ts'
