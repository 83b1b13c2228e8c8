/**
 * The storage port for what all processes know about a provider's health: how many requests in a row have failed, and until
 * when nobody asks. One small record per provider, one atomic step per method, the store's clock. A rejected promise means that the
 * store could not answer; whoever asks then decides with what its own process knows.
 */

export type GateAnswer =
  /** A request may leave. `failures`: how many have failed in a row. */
  | { readonly isOpen: true; readonly failures: number }
  /** Not for `waitMs`. `outcome`: how the last one failed, as it was reported. */
  | { readonly isOpen: false; readonly waitMs: number; readonly outcome: string }

export interface ProviderGateDriver {
  /**
   * May a request leave? After a pause one may, as a trial: for `trialMs`, or until it reports, everybody else is told to wait.
   * @param name a keyed hash of the provider
   * @param trialMs 0: only reads the state; a trial that is due stays due
   */
  enter(name: string, trialMs: number): Promise<GateAnswer>
  /** A request failed: one more in a row, and no further one for `pauseMs` (0: no pause). A longer pause is never cut short. */
  failed(name: string, pauseMs: number, outcome: string): Promise<void>
  /** The provider works: everything is forgotten. */
  worked(name: string): Promise<void>
}

/** Without news for so long a provider counts as healthy. */
export const GATE_REMEMBERED_MS = 10 * 60_000
