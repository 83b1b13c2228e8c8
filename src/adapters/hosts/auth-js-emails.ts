/** Which e-mail address belongs to which user: one document per address. */
import type { Clock } from '../../core/clock.ts'
import { SessionError } from '../../core/errors.ts'
import type { Documents } from '../../documents/documents.ts'
import type { AuthJsUser } from './auth-js-types.ts'

/** Longer than it takes to store a user and to claim an address. */
export const UNCLAIMED_MS = 60_000

export interface EmailClaim {
  readonly userId: string
  readonly atMs: number
}

export interface EmailClaims {
  /** @throws {SessionError} `COATCHECK_EMAIL_TAKEN` */
  claim(email: string, userId: string): Promise<void>
  /** Nothing happens when it is another user's by now. */
  release(email: string, userId: string): Promise<void>
  ownerOf(email: string): Promise<string | null>
}

export function createEmailClaims(
  emails: Documents<EmailClaim>,
  getUser: (id: string) => Promise<AuthJsUser | null>,
  clock: Clock,
): EmailClaims {
  const forever = (): null => null

  /** What a crash has left: the user of the claim is gone, or has had another address for longer than a change takes. */
  const isAbandoned = async (email: string, { userId, atMs }: EmailClaim): Promise<boolean> => {
    const user = await getUser(userId)
    return !user || (user.email !== email && atMs < clock.now() - UNCLAIMED_MS)
  }

  /**
   * An address belongs to one user, who is stored before it is claimed; whoever comes second is refused.
   * @throws {SessionError} `COATCHECK_EMAIL_TAKEN`
   */
  const claim = async (email: string, userId: string): Promise<void> => {
    const ref = emails.refOf(email)
    const mine: EmailClaim = { userId, atMs: clock.now() }
    const claimed = await emails.put(ref, mine, { ttlMs: null, isNew: true })
    const owner = claimed.status === 'saved' ? claimed.document : await emails.read(ref)
    if (owner?.value.userId === userId) return
    if (owner && (await isAbandoned(email, owner.value))) {
      // From the claim that was looked at: of two who find it abandoned one gets it.
      const isTheSame = (now: EmailClaim): boolean => now.userId === owner.value.userId && now.atMs === owner.value.atMs
      const taken = await emails.change(ref, (now) => (isTheSame(now) ? mine : null), forever, owner)
      if (taken.status === 'saved' && taken.document.value.userId === userId) return
    }
    throw new SessionError('COATCHECK_EMAIL_TAKEN')
  }
  const release = async (email: string, userId: string): Promise<void> => {
    const stored = await emails.read(emails.refOf(email))
    if (stored?.value.userId === userId) await emails.driver.remove(emails.refOf(email))
  }

  return { claim, release, ownerOf: async (email) => (await emails.read(emails.refOf(email)))?.value.userId ?? null }
}
