/** `coatcheck/express-session`: the store for the library of that name. */
import '../core/node-version.ts'

export * from '../app/drop-ins/express-session.ts'
