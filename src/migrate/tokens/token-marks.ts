/**
 * A mark per user and provider: from now on Coatcheck alone decides about these tokens. They were adopted, a sign-in had stored others, or they
 * were ended. The application and the operator's commands write marks, so each finds the marks of the other.
 */
import { createDocuments, type DocumentDeps, type Documents } from '../../documents/documents.ts'
import type { SessionDriver } from '../../session/session-driver.ts'
import type { AdoptionMark } from './token-origin.ts'

/** Longer than any refresh token lives without a use. */
const MARKED_MS = 365 * 86_400_000
/** No session has this id. Ending it only ends the tokens of a user without a session. */
const NO_SESSION = 'A'.repeat(22)

export interface TokenMarks {
  isMarked(userKey: string): Promise<boolean>
  /** Returns false if a mark existed already. */
  add(userKey: string, why: AdoptionMark['why']): Promise<boolean>
  /** Marks the tokens as ended, and replaces any earlier mark. */
  end(userKey: string): Promise<void>
  /**
   * Called after a session has ended, or all sessions of a user. The tokens end with the last session, because other sessions still need
   * them. An adoption may have stored a grant and its mark since. So if a mark exists already, the tokens of the user are ended once more, in
   * the atomic step that changes nothing for a user with a session.
   * @param mayBeAnonymous whether the session may be one without a user
   * @returns whether the user has no session left and a mark
   */
  signedOut(userKey: string, mayBeAnonymous: boolean): Promise<boolean>
}

export function tokenMarkDocuments(deps: DocumentDeps): Documents<AdoptionMark> {
  return createDocuments(deps, 'adopted-tokens')
}

export function createTokenMarks(deps: {
  readonly marks: Documents<AdoptionMark>
  readonly sessions: Pick<SessionDriver, 'list' | 'explain' | 'end'>
  readonly provider: string
}): TokenMarks {
  const { marks, sessions, provider } = deps
  const refOf = (userKey: string) => marks.refOf(`${provider} ${userKey}`)
  const noSessionOf = (userKey: string) => ({ kind: 'user', userKey, id: NO_SESSION }) as const
  const add: TokenMarks['add'] = async (userKey, why) => {
    const { status } = await marks.put(refOf(userKey), { why }, { ttlMs: MARKED_MS, isNew: true })
    return status === 'saved'
  }
  const end = async (userKey: string): Promise<void> => {
    await marks.put(refOf(userKey), { why: 'ended' }, { ttlMs: MARKED_MS })
  }
  return {
    isMarked: async (userKey) => (await marks.read(refOf(userKey))) !== null,
    add,
    end,
    async signedOut(userKey, mayBeAnonymous) {
      if ((await sessions.list(userKey, 1)).length > 0) return false
      if (mayBeAnonymous && (await sessions.explain(noSessionOf(userKey))).generation !== 'present') return false
      if (await add(userKey, 'ended')) return true
      await end(userKey)
      await sessions.end(noSessionOf(userKey), { reason: 'signed-out', ttlMs: 1, takesTokens: true })
      return true
    },
  }
}
