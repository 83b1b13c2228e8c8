/** `coatcheck/next`: sessions and routes for Next.js. */
export * from '../adapters/next.ts'
