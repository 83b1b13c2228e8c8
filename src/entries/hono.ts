/** `coatcheck/hono`: the middleware for Hono. */
export * from '../adapters/hono.ts'
