/** `coatcheck/fastify`: the plugin for Fastify. */
import '../core/node-version.ts'

export * from '../adapters/fastify.ts'
