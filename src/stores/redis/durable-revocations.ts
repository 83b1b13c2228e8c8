/**
 * Makes revocations last. A revocation that no replica acknowledged goes to the revocation retries, which apply it again after a failover.
 * A revocation that Redis could not run goes there too, and until it succeeds this process rejects the session locally. Confirmed
 * revocations go to the revocation memory, in case Redis loses them.
 */
import { isCoatcheckError } from '../../core/errors.ts'
import type { RedisReply } from '../../redis/client-port.ts'
import type { RevocationRetries } from './revocation-retries.ts'
import type { RepeatableScript } from '../../redis/repeatable-script.ts'
import type { LastingReply, ScriptRunner } from '../../redis/script-runner.ts'
import type { SessionRef } from '../../session/session-driver.ts'

/** The server is reachable, but refuses every write until the operator fixes the cause. */
const WRITES_NOTHING: ReadonlySet<string> = new Set(['COATCHECK_REDIS_MISCONF', 'COATCHECK_REDIS_NOREPLICAS'])

/** Which sessions are ended: one, or all sessions of a user except one. */
export interface Denial {
  readonly userKey: string
  readonly id?: string
  readonly exceptId?: string | undefined
  /** Whether tokens that were stored after the session ended are deleted too. */
  readonly takesTokens?: boolean | undefined
  readonly reason: string
}

export class DurableRevocations {
  readonly #run: ScriptRunner
  readonly #retries: RevocationRetries | null
  readonly #isDurable: () => boolean
  /** By user key. Few entries, and only while Redis refuses to end sessions. */
  readonly #denied = new Map<string, Denial[]>()

  constructor(run: ScriptRunner, retries: RevocationRetries | null, isDurable: () => boolean) {
    this.#run = run
    this.#retries = retries
    this.#isDurable = isDurable
  }

  /**
   * @param again returns the steps that end the same sessions once more; they end no session that begins later
   * @returns `null`: Redis refuses writes at the moment (`MISCONF`, `NOREPLICAS`). This process rejects the sessions until Redis takes the
   * write; other processes accept them until then
   * @throws other errors of the script; this process denies the sessions all the same, and ends them as soon as possible
   */
  async apply(
    denial: Denial,
    step: RepeatableScript,
    again: (reply: readonly RedisReply[]) => readonly RepeatableScript[],
  ): Promise<LastingReply | null> {
    // Ending only the session does not replace a revocation that also takes tokens, so each has its own name.
    const suffix = denial.takesTokens === true ? ' tokens' : ''
    const name = `${denial.userKey}.${denial.id ?? `* ${denial.exceptId ?? ''}`}${suffix}`
    // Only these entries: another call may add an entry meanwhile that ends sessions which this step missed.
    const earlier = this.#retries?.entries(name) ?? []
    try {
      const lasting = await this.#run.lastingOf(step)
      const steps = this.#retries === null ? [] : again(lasting.reply)
      this.#retries?.remember(steps)
      const isLasting = !this.#isDurable() || lasting.durable
      // Repeating an earlier failed attempt would also end later sign-ins.
      if (isLasting) this.#retries?.overtaken(earlier)
      else if (steps.length > 0) this.#retries?.keep(name, steps, earlier)
      return lasting
    } catch (error) {
      if (this.#retries === null) throw error
      this.#deny(denial)
      this.#retries.keep(name, [step], earlier, () => this.#allow(denial))
      if (isCoatcheckError(error) && WRITES_NOTHING.has(error.code)) return null
      throw error
    }
  }

  /** Returns the reason if this process rejects the session locally, otherwise `null`. */
  denied({ userKey, id }: SessionRef): string | null {
    if (this.#denied.size === 0) return null
    const denials = this.#denied.get(userKey) ?? []
    return denials.find((one) => (one.id === undefined ? one.exceptId !== id : one.id === id))?.reason ?? null
  }

  #deny(denial: Denial): void {
    this.#denied.set(denial.userKey, [...(this.#denied.get(denial.userKey) ?? []), denial])
  }

  #allow(denial: Denial): void {
    const left = (this.#denied.get(denial.userKey) ?? []).filter((one) => one !== denial)
    if (left.length === 0) this.#denied.delete(denial.userKey)
    else this.#denied.set(denial.userKey, left)
  }
}
