/**
 * The storage port for used sign-in transactions. A sign-in under way is sealed in a cookie of the browser. The store
 * only remembers which transactions are used. A rejected promise means that the store did not answer.
 */
export interface TransactionDriver {
  /**
   * Remembers for `ttlMs` that this transaction is used. One atomic step: of any number of parallel calls with one id,
   * exactly one gets `true`.
   * @param sealedBy first bytes of the sealed transaction, which name the key that sealed it: `coatcheck doctor` reads them
   */
  claim(transactionId: string, sealedBy: Buffer, ttlMs: number): Promise<boolean>
}
