/** `coatcheck/express-session`: the store for the library of that name. */
export * from '../app/drop-ins/express-session.ts'
