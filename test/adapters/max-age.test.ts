/** A wrong `maxAge` is reported under the name of the function that the application calls. */
import { expect, it } from 'vitest'
import { expressAuth } from '../../src/adapters/express.ts'
import { fastifyAuth } from '../../src/adapters/fastify.ts'
import { honoAuth } from '../../src/adapters/hono.ts'
import { coatcheck } from '../../src/app/coatcheck.ts'

const auth = coatcheck()
const wrong = { maxAge: 300 }
const handler = (): never => {
  throw new Error('not called')
}

it.each<[adapter: string, caller: string, call: () => unknown]>([
  ['Express', 'requireUser()', () => expressAuth(auth).requireUser(wrong)],
  ['Express', 'withUser()', () => expressAuth(auth).withUser(handler, wrong)],
  ['Fastify', 'requireUser()', () => fastifyAuth(auth).requireUser(wrong)],
  ['Fastify', 'withUser()', () => fastifyAuth(auth).withUser(handler, wrong)],
  ['Hono', 'requireUser()', () => honoAuth(auth).requireUser(wrong)],
  ['Hono', 'withUser()', () => honoAuth(auth).withUser(handler, wrong)],
])('%s: a wrong maxAge of %s names this function', (_adapter, caller, call) => {
  expect(call).toThrow(
    expect.objectContaining({
      code: 'COATCHECK_INVALID_ARGUMENT',
      message: expect.stringContaining(`"maxAge" of ${caller}`),
      fix: "Write the unit: maxAge: '5m'.",
    }),
  )
})
