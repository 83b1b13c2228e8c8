/** `coatcheck/fastify`: the plugin for Fastify. */
export * from '../adapters/fastify.ts'
