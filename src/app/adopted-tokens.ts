/** Adds the tokens of other libraries to `auth.tokens`: the first use of a user's tokens adopts those of the origins. */
import { MisuseError } from '../core/errors.ts'
import type { EventBus } from '../core/events.ts'
import { describeValue } from '../core/redact.ts'
import type { AttachedTokenOrigin, TokenAdoption, TokenOrigin } from '../migrate/tokens/token-origin.ts'
import { parseSessionId } from '../session/ticket.ts'
import type { ProviderSelection, TokenCache } from '../token/types.ts'

/** Stores, refreshes and deletes tokens, and adopts those that another library stored. */
export interface CoatcheckTokens extends TokenCache {
  /**
   * Adopts the old tokens of each user at the first use: before `getAccessToken`, `getUserTokens` and `fetchWithToken` of that user. A user
   * is adopted at most once over all processes, never over tokens of Coatcheck, and never after `deleteUserTokens` or the last sign-out.
   * Call it once for each origin, before the first use.
   * @returns an object that adopts one user, or all users, at once
   * @throws {MisuseError} `COATCHECK_INVALID_ARGUMENT` for a value that is no origin
   */
  adopt(origin: TokenOrigin): TokenAdoption
}

/** An open origin, and the provider that issued its tokens. */
export interface OpenTokenOrigin {
  readonly attached: AttachedTokenOrigin
  readonly provider: string
  close(): Promise<void>
}

/**
 * @param open opens the store of an origin. A failure is not cached, so the next use opens again
 * @param events report sign-outs. A process that never uses tokens marks them too, because another process may adopt afterwards
 */
export function adoptingTokens(
  tokens: TokenCache,
  open: (origin: TokenOrigin) => Promise<OpenTokenOrigin>,
  events: EventBus,
): { readonly tokens: CoatcheckTokens; close(): Promise<void> } {
  const origins: (() => Promise<OpenTokenOrigin>)[] = []
  const opened = new Set<Promise<OpenTokenOrigin>>()
  const hearing = new Set<Promise<void>>()
  let stops: (() => void)[] = []

  const hear = (userKey: string, mayBeAnonymous: boolean): void => {
    for (const origin of origins) {
      const heard = origin()
        .then(({ attached }) => attached.signedOut(userKey, mayBeAnonymous))
        .catch((error: unknown) => {
          const { code = 'unknown' } = error as { readonly code?: string }
          events.emit('error', { code, operation: 'tokens.adopt' })
        })
        .finally(() => hearing.delete(heard))
      hearing.add(heard)
    }
  }
  const listen = (): void => {
    if (stops.length > 0) return
    stops = [
      events.on('session.ended', ({ sessionId }) => {
        const address = parseSessionId(sessionId)
        if (address) hear(address.userKey, true)
      }),
      events.on('session.user-ended', ({ userKey }) => hear(userKey, false)),
    ]
  }

  const each = async (
    userId: string,
    selection: ProviderSelection | string | undefined,
    run: (origin: AttachedTokenOrigin) => Promise<unknown>,
  ): Promise<void> => {
    // The token cache itself refuses an invalid user id.
    if (typeof (userId as unknown) !== 'string' || userId === '') return
    const wanted = typeof selection === 'object' ? selection.provider : undefined
    for (const origin of origins) {
      const { attached, provider } = await origin()
      if (wanted === undefined || wanted === provider) await run(attached)
    }
  }
  const first = (userId: string, selection?: ProviderSelection | string): Promise<void> =>
    each(userId, selection, (origin) => origin.user(userId))

  const adopt = (origin: TokenOrigin): TokenAdoption => {
    // JavaScript callers.
    if ((origin as Partial<TokenOrigin> | null | undefined)?.kind !== 'tokens') {
      throw new MisuseError(
        'COATCHECK_INVALID_ARGUMENT',
        `adopt() takes the result of fromMsal() or another origin of tokens; it got ${describeValue(origin)}.`,
      )
    }
    let opening: Promise<OpenTokenOrigin> | null = null
    const openOnce = (): Promise<OpenTokenOrigin> => {
      if (opening) return opening
      const started = open(origin).catch((error: unknown) => {
        opening = null
        opened.delete(started)
        throw error
      })
      opened.add(started)
      opening = started
      return started
    }
    origins.push(openOnce)
    listen()
    return {
      user: async (userId) => (await openOnce()).attached.user(userId),
      async *all() {
        yield* (await openOnce()).attached.all()
      },
    }
  }

  // Without an origin, the cost is one comparison.
  const hasNone = (): boolean => origins.length === 0
  return {
    tokens: {
      ...tokens,
      adopt,
      getUserTokens: (userId, selection) =>
        hasNone()
          ? tokens.getUserTokens(userId, selection)
          : first(userId, selection).then(() => tokens.getUserTokens(userId, selection)),
      getAccessToken: (userId, target) =>
        hasNone()
          ? tokens.getAccessToken(userId, target)
          : first(userId, target).then(() => tokens.getAccessToken(userId, target)),
      fetchWithToken: (userId, resource, input, init) =>
        hasNone()
          ? tokens.fetchWithToken(userId, resource, input, init)
          : first(userId, resource).then(() => tokens.fetchWithToken(userId, resource, input, init)),
      deleteUserTokens: (userId, selection) =>
        hasNone()
          ? tokens.deleteUserTokens(userId, selection)
          : each(userId, selection, (origin) => origin.ending(userId)).then(() =>
              tokens.deleteUserTokens(userId, selection),
            ),
    },
    async close() {
      for (const stop of stops) stop()
      await Promise.all(hearing)
      for (const one of opened) await one.then(({ close }) => close()).catch(() => undefined)
    },
  }
}
