/**
 * The storage port for sessions of a provider: which of our sessions came from which of its sessions, and which of those it has
 * ended. Names are keyed hashes. A rejected promise means that the store could not answer.
 */
/** So many entries more than twice those of the last sweep make a provider session `crowded`. */
export const CROWD_SLACK = 16

/**
 * So far apart may be the clocks of a provider's servers. A logout also ends a session whose ID token is that much younger: it may
 * be older, and ending one too many is safe.
 */
export const CLOCKS_APART_SECONDS = 10

export interface ProviderSessionDriver {
  /**
   * Notes that our session came from this one of the provider; `ended` when the provider has ended it at the second of the ID
   * token's issue or later: the sign-in then came too late. `crowded`: noted, and there are more than twice as many entries as the
   * last sweep left, and 16. One caller hears it; the next one does when the entries have doubled again.
   */
  register(
    name: string,
    sessionId: string,
    issuedAtSeconds: number,
    lifeMs: number,
  ): Promise<'registered' | 'crowded' | 'ended'>
  /** Our sessions that are noted here. Some may have ended: a session that ends does not know its provider session. */
  list(name: string): Promise<readonly string[]>
  /** Removes sessions that are not there any more, with all that `register` noted of them, and remembers how many are left. */
  sweep(name: string, sessionIds: readonly string[]): Promise<void>
  /**
   * Marks it as ended, for sign-ins that are still on their way. Returns the sessions that end, until they are removed. A session stays
   * if its ID token was issued more than `CLOCKS_APART_SECONDS` after this logout or a later one: a repeated logout does not end it.
   * @param markLifeMs `null`: the logout has no time of its own (front channel). Every session ends, and nothing is written for what is not
   *   known, since anybody may ask.
   */
  end(name: string, endedAtSeconds: number, markLifeMs: number | null): Promise<readonly string[]>
  /** Removes our sessions that a logout has ended. */
  remove(name: string, sessionIds: readonly string[]): Promise<void>
  /** Whether `markUsed` was called with this name of a logout token within its life. */
  isUsed(name: string): Promise<boolean>
  /** Call it after the logout has been carried out: a logout that failed half way may be repeated with the same token. */
  markUsed(name: string, lifeMs: number): Promise<void>
}
