/** `coatcheck/fastify-session`: the store for the library of that name. */
export * from '../app/drop-ins/fastify-session.ts'
