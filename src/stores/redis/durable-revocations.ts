/**
 * Endings that have to last. What no replica has acknowledged is in the journal, to be applied again after a failover. What Redis
 * could not do at all is in the journal too, and until it is done this process itself lets nobody in with it. The rest is
 * remembered there, in case that Redis forgets it.
 */
import { isCoatcheckError } from '../../core/errors.ts'
import type { RedisReply } from '../../redis/client-port.ts'
import type { RevocationRetries } from './revocation-retries.ts'
import type { Repeatable } from '../../redis/repeatable.ts'
import type { LastingReply, ScriptRunner } from '../../redis/script-runner.ts'
import type { SessionRef } from '../../session/session-driver.ts'

/** The server is well, and refuses every write until somebody has mended what is beside it. */
const WRITES_NOTHING: ReadonlySet<string> = new Set(['COATCHECK_REDIS_MISCONF', 'COATCHECK_REDIS_NOREPLICAS'])

/** Which sessions are ended: one, or all of a user but one. */
export interface Denial {
  readonly userKey: string
  readonly id?: string
  readonly exceptId?: string | undefined
  /** Whether tokens go too that were stored after the session had ended. */
  readonly takesTokens?: boolean | undefined
  readonly reason: string
}

export class DurableRevocations {
  readonly #run: ScriptRunner
  readonly #retries: RevocationRetries | null
  readonly #isDurable: () => boolean
  /** By user key: few, and only while Redis refuses to end sessions. */
  readonly #denied = new Map<string, Denial[]>()

  constructor(run: ScriptRunner, retries: RevocationRetries | null, isDurable: () => boolean) {
    this.#run = run
    this.#retries = retries
    this.#isDurable = isDurable
  }

  /**
   * @param again what ends the same sessions once more, and none that begin later
   * @returns `null`: Redis writes nothing at the moment (`MISCONF`, `NOREPLICAS`), and this process denies the sessions until it does
   * @throws what the script throws otherwise; the sessions are denied here all the same, and ended as soon as that is possible
   */
  async apply(
    denial: Denial,
    step: Repeatable,
    again: (reply: readonly RedisReply[]) => readonly Repeatable[],
  ): Promise<LastingReply | null> {
    // An end of the session alone does not make up for one that takes tokens: each has a name of its own.
    const suffix = denial.takesTokens === true ? ' tokens' : ''
    const name = `${denial.userKey}.${denial.id ?? `* ${denial.exceptId ?? ''}`}${suffix}`
    // Only these: an entry that another call keeps meanwhile may end what this step has not met.
    const earlier = this.#retries?.entries(name) ?? []
    try {
      const lasting = await this.#run.lastingOf(step)
      const steps = this.#retries === null ? [] : again(lasting.reply)
      this.#retries?.remember(steps)
      const isLasting = !this.#isDurable() || lasting.durable
      // A repetition of an earlier attempt that failed would end later sign-ins, too.
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

  /** Why this process lets nobody in with it, if it does not. */
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
