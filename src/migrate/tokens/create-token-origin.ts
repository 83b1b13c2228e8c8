/**
 * Adopts the tokens of one user at a time. A mark per user and provider stops a second adoption (`token-marks.ts`).
 *
 * The mark and the grant are two records. An adoption stores the grant first, then the mark. If a mark exists already, it removes the grant
 * again. A process that ends tokens stores the mark first, then deletes the grant. So the process that comes last finds the record of the other.
 */
import { MisuseError } from '../../core/errors.ts'
import { reporter } from '../origin.ts'
import type { TokenSource } from './found-tokens.ts'
import { createTokenMarks } from './token-marks.ts'
import type { AdoptionMark, AdoptionOutcome, TokenOrigin, TokenOriginOptions } from './token-origin.ts'

/** Users whose mark, or whose last outcome, this process remembers. */
const MAX_REMEMBERED_USERS = 10_000
/**
 * How long this process remembers that a user has no old tokens, or has tokens of Coatcheck. Without it, each use would cost reads. It is longer
 * than the deadlines of all writes, so a grant that still exists after this time does not come from an adoption under way.
 */
const OUTCOME_REMEMBERED_MS = 10_000

export function createTokenOrigin(
  name: string,
  { provider: ofProvider, store, mode = 'read' }: TokenOriginOptions,
  source: TokenSource,
): TokenOrigin {
  return {
    kind: 'tokens',
    ...{ name, mode, ...(ofProvider !== undefined && { provider: ofProvider }), ...(store && { store }) },
    ...(source.keys && { keys: source.keys }),
    ...(source.variants && { variants: source.variants.map((variant) => `${name}-${variant}`) }),
    attach({ tokens, marks: documents, sessions, old, keyring, events, provider, clock }) {
      const marks = createTokenMarks({ marks: documents, sessions, provider })
      /** Users whose mark is stored, and since when this process knows it, by the monotonic clock. */
      const markedSince = new Map<string, number>()
      const recentOutcomes = new Map<string, { readonly outcome: 'none' | 'present'; readonly untilMs: number }>()
      const rememberOutcome = (userKey: string, outcome: 'none' | 'present'): typeof outcome => {
        if (recentOutcomes.size >= MAX_REMEMBERED_USERS) recentOutcomes.clear()
        recentOutcomes.set(userKey, { outcome, untilMs: clock.monotonic() + OUTCOME_REMEMBERED_MS })
        return outcome
      }
      const adopting = new Map<string, Promise<AdoptionOutcome>>()
      const rememberMark = (userKey: string): void => {
        if (markedSince.size >= MAX_REMEMBERED_USERS) markedSince.clear()
        if (!markedSince.has(userKey)) markedSince.set(userKey, clock.monotonic())
      }
      /** True: the mark is older than any write under way. So a sign-out now comes after the adoption, and its end includes the tokens. */
      const isMarkedForLong = (userKey: string): boolean => {
        const sinceMs = markedSince.get(userKey)
        return sinceMs !== undefined && clock.monotonic() - sinceMs > OUTCOME_REMEMBERED_MS
      }
      /** Returns false if a mark existed already. */
      const mark = async (userKey: string, why: AdoptionMark['why']): Promise<boolean> => {
        const isNew = await marks.add(userKey, why)
        rememberMark(userKey)
        return isNew
      }

      /** A process that crashed after the mark, or a sign-out before the adoption, has left the old value. No old process uses it in `move`. */
      const forgetLeftover = async (userId: string): Promise<void> => {
        if (mode !== 'move') return
        const found = await source.find(old, userId)
        if (found !== null && found !== 'unreadable' && found.userId === userId) await found.forget?.()
      }

      const adopt = async (userId: string, userKey: string): Promise<AdoptionOutcome> => {
        if (await marks.isMarked(userKey)) {
          rememberMark(userKey)
          await forgetLeftover(userId)
          return 'present'
        }
        const found = await source.find(old, userId)
        if (found === null) return rememberOutcome(userKey, 'none')
        if (found === 'unreadable') {
          reporter(name, events)('unreadable')
          return 'unreadable'
        }
        if (found.userId !== userId) {
          reporter(name, events)('refused')
          return 'refused'
        }
        const takeBack = await tokens.addFirst(userKey, provider, found.tokens)
        if (!takeBack) {
          if (recentOutcomes.get(userKey)?.outcome === 'present') await mark(userKey, 'present')
          return rememberOutcome(userKey, 'present')
        }
        if (!(await mark(userKey, 'adopted'))) {
          // Another process adopted or ended the tokens while this process was reading.
          await takeBack()
          return 'present'
        }
        reporter(found.variant === undefined ? name : `${name}-${found.variant}`, events)('adopted')
        await found.forget?.()
        return 'adopted'
      }

      /** Parallel first uses of one user in this process share one adoption. */
      const user = (userId: string): Promise<AdoptionOutcome> => {
        const userKey = keyring.userKey(userId)
        if (markedSince.has(userKey)) return Promise.resolve('present')
        const last = recentOutcomes.get(userKey)
        if (last && last.untilMs > clock.monotonic()) return Promise.resolve(last.outcome)
        const adoption =
          adopting.get(userKey) ??
          adopt(userId, userKey).finally(() => {
            adopting.delete(userKey)
          })
        adopting.set(userKey, adoption)
        return adoption
      }

      const end = async (userKey: string): Promise<void> => {
        await marks.end(userKey)
        rememberMark(userKey)
      }
      const signedOut = async (userKey: string, mayBeAnonymous: boolean): Promise<void> => {
        if (!isMarkedForLong(userKey) && (await marks.signedOut(userKey, mayBeAnonymous))) rememberMark(userKey)
      }

      return {
        user,
        async *all() {
          if (!source.users) {
            throw new MisuseError('COATCHECK_INVALID_ARGUMENT', `The origin "${name}" cannot list its users.`)
          }
          for await (const userId of source.users(old)) yield { userId, outcome: await user(userId) }
        },
        ending: (userId) => end(keyring.userKey(userId)),
        signedOut,
      }
    },
  }
}
