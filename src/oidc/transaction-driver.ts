/**
 * The storage port for sign-ins that have been answered. A sign-in under way lies sealed in a cookie of the browser; the store
 * only remembers which ones are used up. A rejected promise means that the store could not answer.
 */
export interface TransactionDriver {
  /**
   * Remembers for `ttlMs` that this sign-in is used up. One atomic step: of any number of parallel calls with one hash
   * exactly one gets `true`.
   * @param sealedBy first bytes of the sealed sign-in, which name the key that sealed it: the doctor reads them
   */
  claim(stateHash: string, sealedBy: Buffer, ttlMs: number): Promise<boolean>
}
