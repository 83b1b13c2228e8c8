/**
 * The storage port for sign-in transactions: sealed bytes under the hash of their state, at most ten minutes, taken once.
 * Absence is a value; a rejected promise means that the store could not answer.
 */
export interface TransactionDriver {
  /** Stores a new transaction. */
  put(stateHash: string, record: Buffer, ttlMs: number): Promise<void>
  /** Reads and removes it in one step: of any number of parallel calls exactly one gets the record. */
  take(stateHash: string): Promise<Buffer | null>
}
