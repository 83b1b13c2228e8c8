/** `coatcheck/koa-session`: the store for the library of that name. */
import '../core/node-version.ts'

export * from '../app/drop-ins/koa-session.ts'
