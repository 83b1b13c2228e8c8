/**
 * The storage port for sessions of a provider: which Coatcheck sessions came from which provider session, and which provider sessions have
 * ended. Names are keyed hashes. A rejected promise means that the store did not answer.
 */
/** A provider session is `crowded` if its entries exceed twice those of the last sweep by more than this number. */
export const CROWD_SLACK = 16

/**
 * How far apart the clocks of a provider's servers may be. A logout also ends a session whose ID token is up to that much younger: that
 * token may in fact be older, and ending one session too many is safe.
 */
export const CLOCKS_APART_SECONDS = 10

export interface ProviderSessionDriver {
  /**
   * Records that a Coatcheck session came from this provider session. `ended`: the provider ended it in the second of the ID token's issue
   * or later, so the sign-in came too late. `crowded`: recorded, and the entries exceed twice those of the last sweep by more than 16. Only
   * one caller gets `crowded`; the next one gets it after the entries have doubled again.
   */
  register(
    name: string,
    sessionId: string,
    issuedAtSeconds: number,
    lifeMs: number,
  ): Promise<'registered' | 'crowded' | 'ended'>
  /** Returns the Coatcheck sessions that are recorded here. Some may have ended: a session that ends does not know its provider session. */
  list(name: string): Promise<readonly string[]>
  /** Removes sessions that no longer exist, with all that `register` recorded about them, and remembers how many are left. */
  sweep(name: string, sessionIds: readonly string[]): Promise<void>
  /**
   * Marks the provider session as ended, for sign-ins that are still under way. Returns the sessions to end, until they are removed. A
   * session stays if its ID token was issued more than `CLOCKS_APART_SECONDS` after this logout or a later one: a repeated logout does not
   * end it.
   * @param markLifeMs `null`: the logout has no time of its own (front channel). Every session ends. The driver writes nothing for an
   *   unknown name, since any client may send a front-channel logout.
   */
  end(name: string, endedAtSeconds: number, markLifeMs: number | null): Promise<readonly string[]>
  /** Removes the Coatcheck sessions that a logout has ended. */
  remove(name: string, sessionIds: readonly string[]): Promise<void>
  /** Returns whether `markUsed` was called with this name of a logout token within its life. */
  isUsed(name: string): Promise<boolean>
  /** Call it after the logout has been carried out: the provider may repeat a logout that failed half way with the same token. */
  markUsed(name: string, lifeMs: number): Promise<void>
}
