/** `coatcheck/node`: the handler for `node:http` and Koa. */
export * from '../adapters/node.ts'
