import assert from 'node:assert/strict'
import { inspect, isDeepStrictEqual } from 'node:util'
import { compileFunction } from 'node:vm'
import { describe, expect, it } from 'vitest'
import { parseJson } from '../core/json.ts'
import { copyOfPlain, readOnly, readOnlyJson, refuseAssignments } from './read-only.ts'

interface Data {
  theme: string
  cart: { items: { sku: string }[]; tags: string[] }
}

const json = (): Data => ({ theme: 'dark', cart: { items: [{ sku: 'a' }], tags: ['y', 'x'] } })
const ways: Readonly<Record<string, () => Data>> = {
  readOnly: () => readOnly(json(), 'session.data') as Data,
  readOnlyJson: () => readOnlyJson<Data>(JSON.stringify(json()), 'session.data') as Data,
}
/** `compileFunction` compiles sloppy code, like a CommonJS file without 'use strict'. */
const sloppy = (code: string): ((data: unknown) => void) => compileFunction(code, ['data']) as (data: unknown) => void

const slips = [
  'data.theme = "light"',
  'data.added = 1',
  'data.cart = {}',
  'data.cart.added = 1',
  'data.cart.items = []',
  'data.cart.items[0].sku = "b"',
  'data.cart.items[1] = { sku: "b" }',
  'data.cart.items.length = 0',
  'data.cart.items.push({ sku: "b" })',
  'data.cart.items.pop()',
  'data.cart.items.splice(0, 1)',
  'data.cart.tags.sort()',
  'data.cart.tags.reverse()',
  'data.theme += "er"',
  'delete data.theme',
  'delete data.missing',
  'delete data.cart.items[0]',
  'Object.assign(data, { theme: "light" })',
  'Object.assign(data.cart, { more: 1 })',
  'Object.defineProperty(data, "theme", { value: "light" })',
  'Object.setPrototypeOf(data, {})',
  'data.__proto__ = { admin: true }',
]

const modes = ['', '"use strict";'].flatMap((mode) => Object.keys(ways).map((way) => ({ mode, way })))

describe.each(modes)('$way, where code begins with $mode', ({ mode, way }) => {
  it.each(slips)('%s throws and names session.set()', (slip) => {
    const data = ways[way]?.() as Data
    expect(() => sloppy(mode + slip)(data)).toThrow(
      expect.objectContaining({
        code: 'COATCHECK_SESSION_READ_ONLY',
        message: expect.stringMatching(/session\.data, .* use session\.set\(\) or session\.update\(\)\.$/) as string,
      }),
    )
    expect(data).toEqual(json())
  })
})

describe('what readOnly hands out', () => {
  const guarded = (): Data => readOnly(json(), 'session.data') as Data
  const guardedJson = (): Data => readOnlyJson<Data>(JSON.stringify(json()), 'session.data') as Data

  it('reads as the plain object does', () => {
    const data = guarded()
    assert.deepStrictEqual(data, json())
    assert.deepStrictEqual(json(), data)
    expect(data).toStrictEqual(json())
    expect(isDeepStrictEqual(data, json())).toBe(true)
    expect(JSON.stringify(data)).toBe(JSON.stringify(json()))
    expect(inspect(data, { depth: null })).toBe(inspect(json(), { depth: null }))
    expect({ ...data }).toStrictEqual(json())
    expect([...data.cart.tags]).toStrictEqual(['y', 'x'])
    expect(Object.keys(data)).toEqual(['theme', 'cart'])
    expect(Object.getPrototypeOf(data)).toBe(Object.prototype)
    expect(Array.isArray(data.cart.items)).toBe(true)
    expect(data.cart.items.map(({ sku }) => sku)).toEqual(['a'])
    expect(data.cart.tags.toSorted()).toEqual(['x', 'y'])
    expect([Object.isFrozen(data), Object.isFrozen(data.cart.items)]).toEqual([true, true])
    expect(Object.freeze(data)).toBe(data)
    expect(data.cart).toBe(data.cart)
  })

  it('reads as parsed JSON without prototypes does, in whichever order it is asked', () => {
    const plain = parseJson(JSON.stringify(json())) as Data
    const asked: ((data: Data) => unknown)[] = [
      (data) => Object.keys(data),
      (data) => JSON.stringify(data),
      (data) => Object.isFrozen(data),
      (data) => data.cart.items.map(({ sku }) => sku),
      (data) => [data, data.cart, data.cart.tags].map((value) => Object.getPrototypeOf(value) as unknown),
      (data) => ['cart' in data, 'toString' in data, 'hasOwnProperty' in data.cart],
      (data) => Object.getOwnPropertyDescriptor(Object.freeze(data), 'theme'),
    ]
    const frozen = Object.freeze(plain)
    for (const first of asked) {
      for (const second of asked) {
        const data = guardedJson()
        expect(first(data)).toEqual(first(frozen))
        expect(second(data)).toEqual(second(frozen))
        assert.deepStrictEqual(data, plain)
        expect(isDeepStrictEqual(data, plain)).toBe(true)
        expect(data.cart).toBe(data.cart)
      }
    }
  })

  it('gives a member of parsed JSON out read-only only, whichever way leads to it', () => {
    const reached: ((data: Data) => unknown)[] = [
      (data) => data.cart,
      (data) => Reflect.get(data, 'cart'),
      (data) => ({ ...data }).cart,
      (data) => Object.assign({}, data).cart,
      (data) => Object.values(data)[1] as unknown,
      (data) => Object.entries(data)[1]?.[1] as unknown,
      (data) => Object.getOwnPropertyDescriptor(data, 'cart')?.value as unknown,
      (data) => Object.getOwnPropertyDescriptors(data).cart.value,
      (data) => (Object.create(data) as Data).cart,
      (data) => Object.freeze(data).cart,
      (data) => Object.seal(data).cart,
      (data) => (Object.isFrozen(data), data.cart),
    ]
    for (const reach of reached) {
      const data = guardedJson()
      for (const cart of [reach(data), reach(data)] as Data['cart'][]) {
        expect(() => (cart.items = [])).toThrow('read-only snapshot')
        expect(() => cart.tags.push('z')).toThrow('read-only snapshot')
        expect(cart).toBe(data.cart)
      }
    }
  })

  it('knows names that other code uses, and names on Object.prototype are no data', () => {
    const text = '{"__proto__":{"admin":true},"constructor":1,"list":[{"__proto__":{"a":1}}]}'
    const data = readOnlyJson<Record<string, unknown>>(text, 'session.data') as Record<string, { admin?: boolean }>
    expect(Object.keys(data)).toEqual(['__proto__', 'constructor', 'list'])
    expect(data['__proto__']?.admin).toBe(true)
    expect(data['admin']).toBeUndefined()
    expect(JSON.stringify(data)).toBe(text)
    const polluted = Object.prototype as Record<string, unknown>
    polluted['evil'] = { a: 1 }
    try {
      const nested = readOnlyJson<{ a: Record<string, unknown> }>('{"a":{"b":[{}]}}', 'session.data')
      expect([Object.keys(nested.a), nested.a['evil'], JSON.stringify(nested)]).toEqual([
        ['b'],
        undefined,
        '{"a":{"b":[{}]}}',
      ])
      expect((nested as unknown as Record<string, unknown>)['evil']).toBeUndefined()
    } finally {
      delete polluted['evil']
    }
  })

  it('can be inherited from, and copies can be changed', () => {
    const child = Object.create(guarded()) as Record<string, unknown>
    child['own'] = 1
    expect(child['own']).toBe(1)
    const copy = copyOfPlain(guarded())
    copy.cart.items.push({ sku: 'b' })
    copy.theme = 'light'
    expect(copy.cart.items).toHaveLength(2)
    expect(structuredClone(copy)).toEqual(copy)
    expect(Object.getPrototypeOf(copy)).toBeNull()
  })

  it('freezes what is neither plain nor an array, and leaves its methods working', () => {
    const data = readOnly({ at: new Date(0), tags: new Set(['a']) }, 'session.data')
    expect(data.at.getTime()).toBe(0)
    expect(data.tags.has('a')).toBe(true)
  })
})

describe('refuseAssignments', () => {
  class Thing {
    static {
      refuseAssignments(this.prototype, 'session')
    }
    get id(): string {
      return 'one'
    }
    set(): string {
      return 'set'
    }
  }

  it.each(['', '"use strict";'])('throws for accessors and for new names, where code begins with %j', (mode) => {
    for (const slip of ['data.id = 2', 'data.views = 1', 'data.views += 1', 'data.toString = 1']) {
      expect(() => sloppy(mode + slip)(new Thing())).toThrow(
        /^Cannot assign to "\w+" of session: .* use session\.set\(\)/,
      )
    }
  })

  it('lets tools mark and tests replace', () => {
    const thing = new Thing()
    const mark = Symbol('mark')
    expect(Object.assign(thing, { [mark]: 1 })[mark]).toBe(1)
    thing.set = () => 'replaced'
    expect(thing.set()).toBe('replaced')
    expect([Object.prototype.toString.call(thing), thing.id, thing instanceof Thing]).toEqual([
      '[object Object]',
      'one',
      true,
    ])
    expect((thing as { missing?: unknown }).missing).toBeUndefined()
  })
})
