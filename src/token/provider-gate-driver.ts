/**
 * The storage port for the health of a provider, shared by all processes: the number of failed requests in a row, and the end of the
 * current pause. The driver keeps one small record per provider. Each method is one atomic step and uses the store's clock.
 * A rejected promise means that the store did not answer. The caller then decides with the state of its own process.
 */

export type GateAnswer =
  /** The caller may send a request. `failures`: the number of failures in a row. */
  | { readonly isOpen: true; readonly failures: number }
  /** The caller must not send a request for `waitMs`. `outcome`: the reported outcome of the last failure. */
  | { readonly isOpen: false; readonly waitMs: number; readonly outcome: string }

export interface ProviderGateDriver {
  /**
   * Checks whether the caller may send a request. After a pause one caller may send a trial request. Until it reports, or until `trialMs`
   * is over, all other callers must wait.
   * @param name a keyed hash of the provider
   * @param trialMs 0: the driver only reads the state; a trial that is due stays due
   */
  enter(name: string, trialMs: number): Promise<GateAnswer>
  /** Counts one more failure in a row and starts a pause of `pauseMs` (0: no pause). It never shortens a longer pause. */
  failed(name: string, pauseMs: number, outcome: string): Promise<void>
  /** Reports a success: the driver deletes the record of the provider. */
  worked(name: string): Promise<void>
}

/** After this time without a report, a provider counts as healthy. */
export const GATE_REMEMBERED_MS = 10 * 60_000
