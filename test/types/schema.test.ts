/** `session.schema` gives the type of the data: zod and valibot through Standard Schema, and none at all. */
import * as v from 'valibot'
import { expect, expectTypeOf, it } from 'vitest'
import * as z from 'zod'
import { type Coatcheck, coatcheck, type Session } from '../../src/entries/coatcheck.ts'
import { memoryStore } from '../../src/stores/memory/memory-store.ts'

interface Data {
  items: string[]
  note?: string | undefined
}

const schemas = {
  zod: z.object({ items: z.array(z.string()).default([]), note: z.string().optional() }),
  valibot: v.object({ items: v.optional(v.array(v.string()), []), note: v.optional(v.string()) }),
}

it('is inferred from zod', async () => {
  const auth = coatcheck({ store: memoryStore({ name: 'zod' }), session: { schema: schemas.zod } })
  expectTypeOf(auth).toEqualTypeOf<Coatcheck<Data>>()
  await works(auth)
})

it('is inferred from valibot', async () => {
  const auth = coatcheck({ store: memoryStore({ name: 'valibot' }), session: { schema: schemas.valibot } })
  expectTypeOf(auth).toEqualTypeOf<Coatcheck<Data>>()
  await works(auth)
})

it('is open without a schema', () => {
  expectTypeOf(coatcheck()).toEqualTypeOf<Coatcheck<Record<string, unknown>>>()
  expectTypeOf<Session<Data>['data']['items']>().toEqualTypeOf<readonly string[]>()
})

async function works(auth: Coatcheck<Data>): Promise<void> {
  const { session } = await auth.sessions.create()
  expect(session.data).toEqual({ items: [] })
  await session.set('items', ['coat'])
  await expect(session.set('items', [1] as never)).rejects.toMatchObject({ code: 'COATCHECK_SESSION_SCHEMA' })
  // @ts-expect-error a field that is always there cannot be deleted
  await expect(session.delete('items')).resolves.toBeUndefined()
  expect(session.data).toEqual({ items: [] })
  await auth.close()
}
