/** `coatcheck/node`: the handler for `node:http` and Koa. */
import '../core/node-version.ts'

export * from '../adapters/node.ts'
