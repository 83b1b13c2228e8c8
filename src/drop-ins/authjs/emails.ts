/** Maps each e-mail address to its user: one document per address. */
import type { Clock } from '../../core/clock.ts'
import { SessionError } from '../../core/errors.ts'
import type { Documents } from '../../documents/documents.ts'
import type { AuthJsUser } from './types.ts'

/** Longer than it takes to store a user and to claim an address. */
export const UNCLAIMED_MS = 60_000

export interface EmailClaim {
  readonly userId: string
  readonly atMs: number
}

export interface EmailClaims {
  /**
   * Claims the address, or renews the claim of this user. A concurrent release then fails.
   * @throws {SessionError} `COATCHECK_EMAIL_TAKEN`
   */
  claim(email: string, userId: string): Promise<void>
  /** Frees the address, unless it is the address of the stored user, or belongs to another user by now. */
  release(email: string, userId: string): Promise<void>
  /**
   * Called after the user has changed to this address. If a parallel change has already replaced the address, it is free afterwards.
   * @throws {SessionError} `COATCHECK_EMAIL_TAKEN`
   */
  completeClaim(email: string, userId: string): Promise<void>
  ownerOf(email: string): Promise<string | null>
}

const ATTEMPTS = 4
/** Replaces a released claim until it expires: the store can replace a claim by compare and set, but not delete it that way. */
const RELEASED: EmailClaim = { userId: '', atMs: 0 }
const RELEASED_TTL_MS = 1

export function createEmailClaims(
  emails: Documents<EmailClaim>,
  getUser: (id: string) => Promise<AuthJsUser | null>,
  clock: Clock,
): EmailClaims {
  const forever = (): null => null

  /** Whether a crash left the claim: its user is gone, or has had another address for longer than a change takes. */
  const isAbandoned = async (email: string, { userId, atMs }: EmailClaim): Promise<boolean> => {
    const user = await getUser(userId)
    return !user || (user.email !== email && atMs < clock.now() - UNCLAIMED_MS)
  }

  const claim = async (email: string, userId: string): Promise<void> => {
    const ref = emails.refOf(email)
    const mine: EmailClaim = { userId, atMs: clock.now() }
    // A released claim may expire between two commands.
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const claimed = await emails.put(ref, mine, { ttlMs: null, isNew: true })
      if (claimed.status === 'saved') return
      const owner = await emails.read(ref)
      if (!owner) continue
      if (owner.value.userId !== userId && !(await isAbandoned(email, owner.value))) break
      // Compare and set on the claim that was read: if two users find it abandoned, only one of them gets it.
      const isTheSame = (now: EmailClaim): boolean => now.userId === owner.value.userId && now.atMs === owner.value.atMs
      const taken = await emails.change(
        ref,
        (now) => (now.userId === userId || isTheSame(now) ? mine : null),
        forever,
        owner,
      )
      if (taken.status === 'saved' && taken.document.value.userId === userId) return
    }
    throw new SessionError('COATCHECK_EMAIL_TAKEN')
  }

  const release = async (email: string, userId: string): Promise<void> => {
    const ref = emails.refOf(email)
    // Reads the claim first: if the user takes this address again after the read, the claim differs.
    const stored = await emails.read(ref)
    if (stored?.value.userId !== userId || (await getUser(userId))?.email === email) return
    await emails.change(
      ref,
      (now) => (now === stored.value ? RELEASED : null),
      () => RELEASED_TTL_MS,
      stored,
    )
  }

  return {
    claim,
    release,
    async completeClaim(email, userId) {
      try {
        await claim(email, userId)
      } catch (error) {
        if ((await getUser(userId))?.email === email) throw error
        return
      }
      await release(email, userId)
    },
    ownerOf: async (email) => (await emails.read(emails.refOf(email)))?.value.userId || null,
  }
}
