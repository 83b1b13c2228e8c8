/** What the server did not run for the moment is sent again: it is loading, a slot is on its way, a script keeps it busy. */
import { ExponentialBackoff, handleWhen, retry } from 'cockatiel'
import { isTransientReply } from './diagnose.ts'

/** More than fit into any deadline: it is the deadline that ends it. */
const ATTEMPTS = 50

const policy = retry(handleWhen(isTransientReply), {
  maxAttempts: ATTEMPTS,
  backoff: new ExponentialBackoff({ initialDelay: 10, maxDelay: 100 }),
})

/**
 * @param refusal what the first attempt met with
 * @param attempt sends it once more
 * @returns the answer; rejects with the first error that is not transient
 */
export function untilTaken(refusal: unknown, attempt: () => Promise<unknown>): Promise<unknown> {
  let isFirst = true
  return policy.execute(async () => {
    if (!isFirst) return await attempt()
    isFirst = false
    // This one has been made already: it only starts the waiting.
    throw refusal
  })
}
