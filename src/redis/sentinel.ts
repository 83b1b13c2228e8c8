/**
 * Follows the primary that the sentinels name. It asks them before each connect and polls them afterwards. So a connection moves to a new
 * primary, whether the old one is gone, hangs, or still considers itself primary.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { RedisError } from '../core/errors.ts'
import { RedisClient, type RedisClientDeps } from './client.ts'
import type { RedisReply } from './client-port.ts'
import { DeadlineWheel } from './deadline-wheel.ts'
import { createLibraryClient, type RedisLibraryClient, SEND_OPTIONS } from './library.ts'
import type { RedisLimits } from './options.ts'
import type { RedisAddress } from './redis-url.ts'
import { addressSource, type RedisSource } from './source.ts'
import { nameOfAddress, type RedisTarget, type SentinelTarget } from './target.ts'

const POLL_MS = 1000
const URGENT_POLL_MS = 100
/** How long to wait for a newer answer after the first one, milliseconds. */
const PATIENCE_MS = 50

interface Answer {
  readonly address: RedisAddress
  /** Grows with each failover, so the higher of two epochs is the later one. */
  readonly epoch: number
}

export class SentinelSource implements RedisSource {
  readonly isOwn = true
  readonly isMoving = true
  readonly target = null
  readonly #target: SentinelTarget
  readonly #sentinels: readonly RedisClient[]
  #known: Answer | null = null
  readonly #followers: (() => void)[] = []
  #timer: ReturnType<typeof setTimeout> | undefined
  #isUrgent = true
  #isClosed = false

  /** @param deps for the connections to the sentinels; events of these connections are ignored */
  constructor(target: SentinelTarget, limits: RedisLimits, deps: RedisClientDeps) {
    this.#target = target
    const wheel = new DeadlineWheel(deps.clock)
    this.#sentinels = target.sentinels.map((one) => new RedisClient(addressSource(one), limits, { ...deps, wheel }))
    this.#pollIn(POLL_MS)
  }

  get endpoint(): string {
    const where = this.#known === null ? 'unknown to the sentinels so far' : nameOfAddress(this.#known.address)
    return `${this.#target.name} (${where})`
  }

  async client(): Promise<RedisLibraryClient> {
    // The client makes no attempts of its own, because the next attempt may need another server.
    return createLibraryClient(await this.#locate(), () => null)
  }

  async further(reconnectDelayMs: (retries: number) => number | null, options?: object): Promise<RedisLibraryClient> {
    const at = await this.#locate()
    const isStill = (): boolean =>
      this.#known !== null && nameOfAddress(this.#known.address) === nameOfAddress(at.address)
    return createLibraryClient(at, (retries) => (isStill() ? reconnectDelayMs(retries) : null), options)
  }

  async check(client: RedisLibraryClient): Promise<void> {
    const [role] = (await client.sendCommand(['ROLE'], SEND_OPTIONS).catch(() => ['unknown'])) as readonly unknown[]
    const name = String(role)
    if (name === 'master' || name === 'unknown') return
    throw new RedisError('COATCHECK_REDIS_READONLY', {
      message: `Cannot use Redis at ${this.endpoint}: the sentinels name it as the primary, but its role is ${name}.`,
    })
  }

  follow(moved: () => void): void {
    this.#followers.push(moved)
  }

  hurry(isUrgent: boolean): void {
    if (isUrgent === this.#isUrgent) return
    this.#isUrgent = isUrgent
    this.#pollIn(isUrgent ? 0 : POLL_MS)
  }

  async close(): Promise<void> {
    this.#isClosed = true
    clearTimeout(this.#timer)
    await Promise.all(this.#sentinels.map((sentinel) => sentinel.close()))
  }

  async #locate(): Promise<RedisTarget> {
    const answer = await this.#ask()
    if (answer !== null) this.#take(answer)
    if (this.#known === null) throw this.#unknown()
    return { ...this.#target.access, address: this.#known.address }
  }

  #unknown(): RedisError {
    const reached = this.#sentinels.filter((sentinel) => sentinel.isReady).length
    const says =
      reached === 0
        ? `none of the ${this.#sentinels.length} sentinels can be reached`
        : `the sentinels know no primary of that name; it is the host in the URL`
    return new RedisError('COATCHECK_REDIS_UNREACHABLE', { message: `Redis ${this.#target.name}: ${says}.` })
  }

  #pollIn(delayMs: number): void {
    clearTimeout(this.#timer)
    if (!this.#isClosed) this.#timer = setTimeout(() => void this.#poll(), delayMs).unref()
  }

  async #poll(): Promise<void> {
    const answer = await this.#ask()
    const before = this.#known
    if (answer !== null && before !== null && this.#take(answer)) {
      for (const moved of this.#followers) moved()
    }
    this.#pollIn(this.#isUrgent ? URGENT_POLL_MS : POLL_MS)
  }

  /** @returns whether the primary changed */
  #take(answer: Answer): boolean {
    const before = this.#known
    if (before !== null && answer.epoch < before.epoch) return false
    this.#known = answer
    return before === null || nameOfAddress(before.address) !== nameOfAddress(answer.address)
  }

  /** Asks all sentinels at once. Takes the first answer, or one of a later failover that arrives soon after it. */
  async #ask(): Promise<Answer | null> {
    const answers: Answer[] = []
    const asked = this.#sentinels.map(async (sentinel) => {
      const answer = await this.#answerOf(sentinel)
      if (answer === null) throw new Error('no answer')
      answers.push(answer)
    })
    const all = Promise.allSettled(asked)
    await Promise.any(asked).catch(() => undefined)
    await Promise.race([all, sleep(PATIENCE_MS)])
    return answers.sort((a, b) => b.epoch - a.epoch)[0] ?? null
  }

  async #answerOf(sentinel: RedisClient): Promise<Answer | null> {
    try {
      const fields = pairs(await sentinel.command('', ['SENTINEL', 'MASTER', this.#target.name]))
      const host = fields.get('ip')
      const port = Number(fields.get('port'))
      if (host === undefined || !(port > 0)) return null
      return { address: { host, port }, epoch: Number(fields.get('config-epoch') ?? 0) }
    } catch {
      return null
    }
  }
}

function pairs(reply: RedisReply): Map<string, string> {
  const flat = (reply as readonly RedisReply[]).map(String)
  return new Map(flat.flatMap((key, i) => (i % 2 === 0 ? [[key, flat[i + 1] ?? '']] : [])))
}
