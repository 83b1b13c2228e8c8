/** Typed data: defaults, validation, older and newer schema versions. */
import assert from 'node:assert/strict'
import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { ConformanceCase, SessionHarness } from '../conformance.ts'
import { equalJson } from '../equal-json.ts'
import { codeOf, fixture } from '../session-fixture.ts'

interface Cart extends Record<string, unknown> {
  items: string[]
  note?: string
}

/**
 * Written by hand, like the schemas of zod, valibot and arktype: `items` defaults to an empty list and must contain strings; unknown fields
 * are dropped.
 */
const cartSchema: StandardSchemaV1<unknown, Cart> = {
  '~standard': {
    version: 1,
    vendor: 'coatcheck',
    validate(value) {
      const { items = [], note } = value as Partial<Cart>
      if (!Array.isArray(items) || items.some((item) => typeof item !== 'string')) {
        return { issues: [{ message: `got ${JSON.stringify(items)}`, path: ['items', { key: 0 }] }] }
      }
      return { value: { items, ...(note !== undefined && { note }) } }
    },
  },
}

export const schemaCases: readonly ConformanceCase<SessionHarness>[] = [
  {
    name: 'defaults of the schema are there from the start, for visitors without a session too',
    async run(harness) {
      const { store } = fixture<Cart>(harness, { policy: { schema: cartSchema } })
      const { session } = await store.create({ userId: 'ada' })
      equalJson(session.data, { items: [] })
      const visit = await store.visit(null, {
        assertWritable: () => undefined,
        issue: () => undefined,
        clear: () => undefined,
      })
      equalJson(visit.session.data, { items: [] })
      await visit.session.update((draft) => void draft.items.push('a'))
      equalJson(visit.session.data, { items: ['a'] })
    },
  },
  {
    name: 'what does not fit is refused with its path and without the value; nothing is written',
    async run(harness) {
      const { store } = fixture<Cart>(harness, { policy: { schema: cartSchema } })
      const { session, ticket } = await store.create({ userId: 'ada', data: { items: ['a'] } })
      await assert.rejects(
        session.set('items', [{ secret: 'hunter2' }] as unknown as string[]),
        (error: Error & { code?: string }) => {
          assert.equal(error.code, 'COATCHECK_SESSION_SCHEMA')
          assert.match(error.message, /items\.0/)
          assert.doesNotMatch(error.message, /hunter2/)
          return true
        },
      )
      equalJson((await store.find(ticket)).session?.data, { items: ['a'] })
    },
  },
  {
    name: 'a schema that validates asynchronously is a misuse',
    async run(harness) {
      const schema: StandardSchemaV1<unknown, Cart> = {
        '~standard': { version: 1, vendor: 'coatcheck', validate: async () => ({ value: { items: [] } }) },
      }
      const { store } = fixture<Cart>(harness, { policy: { schema } })
      assert.equal(await codeOf(store.create()), 'COATCHECK_INVALID_ARGUMENT')
    },
  },
  {
    name: 'records of older versions pass through the upcasts, on reading and on writing',
    async run(harness) {
      const first = fixture<{ list?: string; n?: number }>(harness)
      const { ticket } = await first.store.create({ userId: 'ada', data: { list: 'a,b' } })
      const second = fixture<Cart>(harness, {
        policy: {
          schema: cartSchema,
          schemaVersion: 3,
          upcasts: {
            1: ({ list, ...rest }) => ({ ...rest, items: String(list).split(',') }),
            2: (data) => ({ ...data, note: 'from version 2' }),
          },
        },
      })
      const { session } = await second.store.find(ticket)
      equalJson(session?.data, { items: ['a', 'b'], note: 'from version 2' })
      await session?.update((draft) => void draft.items.push('c'))
      equalJson((await second.store.find(ticket)).session?.data, {
        items: ['a', 'b', 'c'],
        note: 'from version 2',
      })
    },
  },
  {
    name: 'data of a newer version than known is kept whole, also when an older release writes',
    async run(harness) {
      const newer = fixture(harness, { policy: { schemaVersion: 2 } })
      const { ticket } = await newer.store.create({ userId: 'ada', data: { items: ['a'], invented: { later: true } } })
      const older = fixture<Cart>(harness, { policy: { schema: cartSchema, schemaVersion: 1 } })
      const { session } = await older.store.find(ticket)
      await session?.set('note', 'n')
      const expected = { items: ['a'], invented: { later: true }, note: 'n' }
      equalJson((await newer.store.find(ticket)).session?.data, expected)
    },
  },
]
