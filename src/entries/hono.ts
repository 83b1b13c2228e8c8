/** `coatcheck/hono`: the middleware for Hono. */
import '../core/node-version.ts'

export * from '../adapters/hono.ts'
