import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import * as edge from './edge.ts'

const { exports } = JSON.parse(readFileSync('package.json', 'utf8')) as {
  exports: Record<string, Record<string, string>>
}
const stubbed = Object.entries(exports).filter(([, target]) => target['edge-light'] !== undefined)

it.each(stubbed)('%s has the same names where there is no Node', async (_entry, target) => {
  const real = (await import(`../../${target['coatcheck-source']}`)) as object
  expect(Object.keys(edge)).toEqual(expect.arrayContaining(Object.keys(real)))
})

it('says what to do when it is used, and still tells errors apart', () => {
  expect(() => edge.coatcheck()).toThrow(expect.objectContaining({ code: 'COATCHECK_RUNTIME_UNSUPPORTED' }))
  try {
    edge.redisStore()
  } catch (error) {
    expect(edge.isCoatcheckError(error)).toBe(true)
    expect((error as { fix: string }).fix).toContain('proxy.ts')
  }
})
