/** `coatcheck/next`: sessions and routes for Next.js. */
import '../core/node-version.ts'

export * from '../adapters/next.ts'
