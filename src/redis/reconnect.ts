/** Delays between connection attempts. */
import { systemRandom } from '../core/random.ts'

/** Backoff of 50, 100, 200, then 400 ms, each plus up to 100 ms. So a recovered server is found within a second. */
const RETRY_MS = 50
export const MAX_RETRY_MS = 400
const RETRY_JITTER_MS = 100

export function retryDelayMs(retries: number): number {
  return Math.min(RETRY_MS * 2 ** retries, MAX_RETRY_MS) + ((systemRandom.bytes(1)[0] ?? 0) / 255) * RETRY_JITTER_MS
}
