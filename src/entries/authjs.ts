/** `coatcheck/authjs`: the store for the library of that name. */
export * from '../app/drop-ins/authjs.ts'
