/**
 * The pauses between the attempts of a command that the server did not run: it is loading, a slot is migrating, or a script keeps it busy.
 * `dispatch.ts` decides which commands are sent again.
 */
import { ExponentialBackoff, handleWhen, retry } from 'cockatiel'
import { isTransientReply } from './diagnose.ts'

/** More attempts than fit into any deadline. The deadline ends the retries. */
const ATTEMPTS = 50

const policy = retry(handleWhen(isTransientReply), {
  maxAttempts: ATTEMPTS,
  backoff: new ExponentialBackoff({ initialDelay: 10, maxDelay: 100 }),
})

/**
 * @param refusal error of the first attempt
 * @param attempt sends the command again
 * @returns the answer; rejects with the first error that is not transient
 */
export function untilTaken(refusal: unknown, attempt: () => Promise<unknown>): Promise<unknown> {
  let isFirst = true
  return policy.execute(async () => {
    if (!isFirst) return await attempt()
    isFirst = false
    // The caller has made the first attempt. Its error starts the first pause.
    throw refusal
  })
}
