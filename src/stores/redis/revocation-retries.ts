/**
 * Repeats revocations of this process that may not last: those that failed, and those that no replica acknowledged. It applies them again
 * after each reconnection (perhaps to a server that never received them), at growing intervals, and once more on close. It also remembers
 * the revocations that Redis has confirmed, and applies those again only if Redis has lost them. The list lives in this process and ends with it.
 */
import type { Clock } from '../../core/clock.ts'
import type { EventBus } from '../../core/events.ts'
import { MAX_WAITING, REMEMBERED_MS } from '../../core/loss-limits.ts'
import type { RedisClientPort } from '../../redis/client-port.ts'
import { RevocationMemory } from './revocation-memory.ts'
import type { RepeatableScript } from '../../redis/repeatable-script.ts'

export interface RevocationRetry {
  /** Identifies the sessions or tokens that it ends. */
  readonly name: string
  readonly steps: readonly RepeatableScript[]
  readonly until: number
  readonly confirmed: () => void
  /** Monotonic milliseconds. */
  dueAt: number
  pauseMs: number
}

const FIRST_PAUSE_MS = 500
const MAX_PAUSE_MS = 60_000
const CHECK_MS = 100

export class RevocationRetries {
  readonly #clock: Clock
  readonly #events: EventBus
  readonly #client: () => RedisClientPort
  /** Oldest first. */
  readonly #entries = new Set<RevocationRetry>()
  readonly #byName = new Map<string, readonly RevocationRetry[]>()
  readonly #memory: RevocationMemory
  #timer: ReturnType<typeof setInterval> | undefined
  #recallTimer: ReturnType<typeof setTimeout> | undefined
  #isRunning = false
  #isAgain = false
  #isClosed = false

  /** @param client called when needed: the client reports to these retries, so it is created later */
  constructor(client: () => RedisClientPort, { clock, events }: { clock: Clock; events: EventBus }) {
    this.#client = client
    this.#clock = clock
    this.#events = events
    this.#memory = new RevocationMemory(clock)
  }

  get size(): number {
    return this.#entries.size
  }

  /**
   * Returns the current entries of this name. A step that begins now and succeeds later replaces them, but no entry that is added
   * meanwhile.
   */
  entries(name: string): readonly RevocationRetry[] {
    return this.#byName.get(name) ?? []
  }

  /**
   * @param name identifies the sessions or tokens that the steps end
   * @param replaced entries of this name that the new entry replaces: they are not applied again, and are confirmed together with it
   * @param confirmed called once, when the entry ends: all steps are done and as durable as required, or the entry is given up
   */
  keep(
    name: string,
    steps: readonly RepeatableScript[],
    replaced: readonly RevocationRetry[],
    confirmed: () => void = () => undefined,
  ): void {
    const now = this.#clock.monotonic()
    const earlier = replaced.filter((entry) => this.#remove(entry))
    this.#add({
      name,
      steps,
      until: now + REMEMBERED_MS,
      confirmed() {
        for (const entry of earlier) entry.confirmed()
        confirmed()
      },
      dueAt: now + FIRST_PAUSE_MS,
      pauseMs: FIRST_PAUSE_MS,
    })
    if (this.#entries.size > MAX_WAITING) {
      const [oldest] = this.#entries
      if (oldest) this.#complete(oldest)
      this.#events.emit('error', { code: 'COATCHECK_REDIS_OVERLOADED', operation: 'revocation.retries' })
    }
    this.#timer ??= setInterval(() => void this.#run(), CHECK_MS).unref()
  }

  /** Removes entries whose sessions a later step has ended. They are not applied again. */
  overtaken(entries: readonly RevocationRetry[]): void {
    for (const entry of entries) this.#complete(entry)
  }

  /** Remembers confirmed steps, which run again only if Redis loses them. */
  remember(steps: readonly RepeatableScript[]): void {
    this.#memory.remember(steps)
  }

  /** Whether this process remembers that it ended the session under this key. */
  hasEnded(key: string): boolean {
    return this.#memory.has(key)
  }

  /** Called after a reconnect: every entry is due, and Redis may have lost revocations. */
  again(): void {
    void this.#recall()
    this.#allDue()
  }

  /** Applies the remaining entries once, as far as possible now. */
  async close(): Promise<void> {
    this.#isClosed = true
    clearTimeout(this.#recallTimer)
    this.#rest()
    await Promise.all([...this.#entries].map((entry) => this.#apply(entry)))
  }

  #allDue(): void {
    // The current run began on the previous connection. Its failure says nothing about the new one.
    this.#isAgain = this.#isRunning
    for (const entry of this.#entries) {
      entry.dueAt = 0
      entry.pauseMs = FIRST_PAUSE_MS
    }
    void this.#run()
  }

  async #recall(pauseMs = FIRST_PAUSE_MS): Promise<void> {
    clearTimeout(this.#recallTimer)
    const lost = await this.#memory.lostByRedis(this.#client())
    if (lost === 'unknown') {
      this.#recallLater(pauseMs)
      return
    }
    for (const [key, step] of lost) this.keep(key, [step], this.entries(key))
    this.#allDue()
  }

  #recallLater(pauseMs: number): void {
    clearTimeout(this.#recallTimer)
    if (this.#isClosed) return
    const next = Math.min(pauseMs * 2, MAX_PAUSE_MS)
    this.#recallTimer = setTimeout(() => void this.#recall(next), pauseMs).unref()
  }

  #rest(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  async #run(): Promise<void> {
    if (this.#isRunning || this.#isClosed || this.#entries.size === 0) return
    this.#isRunning = true
    const now = this.#clock.monotonic()
    const due = [...this.#entries].filter((entry) => entry.dueAt <= now)
    await Promise.all(due.map((entry) => this.#apply(entry)))
    this.#isRunning = false
    if (this.#isAgain) this.#allDue()
    else if (this.#entries.size === 0) this.#rest()
  }

  async #apply(entry: RevocationRetry): Promise<void> {
    const client = this.#client()
    const now = this.#clock.monotonic()
    try {
      const done = await Promise.all(entry.steps.map(({ script, keys, args }) => client.lasting(script, keys, args)))
      if (client.isDurable && !done.every(({ durable }) => durable) && now < entry.until) {
        this.#later(entry)
        return
      }
    } catch {
      if (now < entry.until) {
        this.#later(entry)
        return
      }
    }
    this.#complete(entry)
  }

  #complete(entry: RevocationRetry): void {
    if (this.#remove(entry)) entry.confirmed()
  }

  #add(entry: RevocationRetry): void {
    this.#entries.add(entry)
    this.#byName.set(entry.name, [...this.entries(entry.name), entry])
  }

  /** @returns whether the entry was present. A replaced entry is confirmed together with its replacement. */
  #remove(entry: RevocationRetry): boolean {
    const left = this.entries(entry.name).filter((one) => one !== entry)
    if (left.length === 0) this.#byName.delete(entry.name)
    else this.#byName.set(entry.name, left)
    return this.#entries.delete(entry)
  }

  #later(entry: RevocationRetry): void {
    entry.pauseMs = Math.min(entry.pauseMs * 2, MAX_PAUSE_MS)
    entry.dueAt = this.#clock.monotonic() + entry.pauseMs
  }
}
