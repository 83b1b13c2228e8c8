/** `coatcheck/koa-session`: the store for the library of that name. */
export * from '../app/drop-ins/koa-session.ts'
