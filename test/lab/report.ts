/**
 * What the fault lab has seen, for docs/faults.md: each test of a fault says by its id what the worst was. `npm run lab` names the
 * file that it is collected in; elsewhere nothing is written.
 */
import { appendFileSync } from 'node:fs'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { TestId } from './faults.ts'

const file = process.env['COATCHECK_LAB_REPORT']

/** How often a fault is repeated: many times in the lab, a few times in the tests. */
export const isLab = file !== undefined

/** Call it when everything has held. @param worst in a few words, with its unit */
export function observed(id: TestId, worst: string): void {
  if (file !== undefined) appendFileSync(file, `${JSON.stringify({ id, worst })}\n`)
}

export function inMs(value: number): string {
  return `${Math.round(value).toLocaleString('en')} ms`
}

/** Bytes that are still needed: what is only waiting for the garbage collector does not count. */
export function heapInUse(): number {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  collect()
  return process.memoryUsage().heapUsed
}
