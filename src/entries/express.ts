/** `coatcheck/express`: the middleware for Express. */
import '../core/node-version.ts'

export * from '../adapters/express.ts'
