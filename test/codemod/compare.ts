/** Where two recordings of an application differ. */
import { keyspaceDifferences } from './keyspace.ts'
import type { Recording } from './recorder.ts'

export interface Difference {
  readonly step: string
  readonly what: string
}

export function differences(before: Recording, after: Recording): Difference[] {
  const found: Difference[] = []
  for (const [step, one] of before.steps) {
    const other = after.steps.get(step)
    if (!other) {
      found.push({ step, what: 'is not there any more' })
      continue
    }
    if (one.seen !== other.seen) found.push({ step, what: `saw ${one.seen}, sees ${other.seen}` })
    for (const what of keyspaceDifferences(one.keys, other.keys)) found.push({ step, what })
  }
  if (before.endsByItself !== after.endsByItself) found.push({ step: 'the process', what: 'does not end as before' })
  return found
}
