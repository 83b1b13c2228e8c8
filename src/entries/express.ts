/** `coatcheck/express`: the middleware for Express. */
export * from '../adapters/express.ts'
