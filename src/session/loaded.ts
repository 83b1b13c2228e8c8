/** A record as it was read, with the sealed bytes: a compare-and-set uses their nonce. */
import type { SessionRecord } from './session-codec.ts'
import type { SessionRef } from './session-driver.ts'

export interface Loaded {
  readonly ref: SessionRef
  readonly record: SessionRecord
  readonly sealed: Buffer
}
