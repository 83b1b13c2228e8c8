/**
 * Controls all faults of a development setup: requests of the provider, its key and clock, and the Redis behind the fault proxy. It can
 * list the active faults and clear all of them.
 */
import { ConfigError } from '../core/errors.ts'
import { parseFault, type RedisFault } from './fault-grammar.ts'
import type { Fault, Faults } from './faults.ts'

/** A fault that is switched on. */
export interface ActiveFault {
  /** The text that switched it on. */
  readonly fault: string
  /** Number of further requests that it affects; `null` if it lasts until it is cleared or its time is over. */
  readonly left: number | null
}

/** The targets of the faults. */
export interface FaultTargets {
  readonly faults: Faults
  rotateKeys(): Promise<void>
  setClock(byMs: number): void
}

/** Applies a fault between the application and its Redis. `null`: all data passes. */
export type RedisSwitch = (fault: RedisFault | null) => void

/** Switches faults on and off while the provider runs. */
export interface FaultSwitches {
  /**
   * Switches a fault on.
   * @param text `refresh=429:3`, see docs/cli.md
   * @throws {ConfigError} `COATCHECK_CONFIG_INVALID`: no such fault, or no Redis that could have it
   */
  apply(text: string): Promise<void>
  /** Lists the faults that are on. */
  list(): readonly ActiveFault[]
  /** Switches off every fault that was switched on with this text. Without such a fault, it has no effect. */
  remove(text: string): void
  /** Switches all faults off. */
  clear(): void
  /** Whether a Redis is connected to the switches. Only then can the faults `redis=…` be switched on. */
  readonly hasRedis: boolean
}

interface RunningFault {
  readonly text: string
  readonly stop: () => void
}

export class FaultBoard implements FaultSwitches {
  readonly #targets: FaultTargets
  readonly #planned = new Map<Fault, string>()
  #clock: string | null = null
  #redis: RedisSwitch | null = null
  #redisFault: RunningFault | null = null

  constructor(targets: FaultTargets) {
    this.#targets = targets
  }

  get hasRedis(): boolean {
    return this.#redis !== null
  }

  connectRedis(to: RedisSwitch): void {
    this.#redis = to
  }

  async apply(given: string): Promise<void> {
    const text = given.trim()
    const fault = parseFault(text)
    switch (fault.kind) {
      case 'provider':
        this.#planned.set(this.#targets.faults.add(fault.options), text)
        return
      case 'rotate':
        await this.#targets.rotateKeys()
        return
      case 'clock':
        this.#clock = fault.byMs === 0 ? null : text
        this.#targets.setClock(fault.byMs)
        return
      case 'redis':
        this.#applyRedis(text, fault)
    }
  }

  list(): readonly ActiveFault[] {
    const active: ActiveFault[] = []
    for (const [{ left }, fault] of this.#planned) {
      if (left > 0) active.push({ fault, left: Number.isFinite(left) ? left : null })
    }
    for (const fault of [this.#clock, this.#redisFault?.text]) if (fault) active.push({ fault, left: null })
    return active
  }

  remove(given: string): void {
    const text = given.trim()
    for (const [fault, planned] of this.#planned) {
      if (planned !== text) continue
      fault.remove()
      this.#planned.delete(fault)
    }
    if (this.#clock === text) {
      this.#clock = null
      this.#targets.setClock(0)
    }
    if (this.#redisFault?.text === text) this.#redisFault.stop()
  }

  clear(): void {
    this.#targets.faults.clear()
    this.#planned.clear()
    this.#targets.setClock(0)
    this.#clock = null
    this.#redisFault?.stop()
  }

  #applyRedis(text: string, fault: RedisFault): void {
    const toRedis = this.#redis
    if (!toRedis) {
      throw new ConfigError('COATCHECK_CONFIG_INVALID', {
        message: `The fault "${text}" needs the Redis of coatcheck dev: coatcheck dev --redis server.`,
      })
    }
    this.#redisFault?.stop()
    let timer: NodeJS.Timeout | null = null
    const runningFault: RunningFault = {
      text,
      stop: () => {
        if (timer) clearTimeout(timer)
        if (this.#redisFault !== runningFault) return
        this.#redisFault = null
        toRedis(null)
      },
    }
    this.#redisFault = runningFault
    toRedis(fault)
    if (fault.forMs !== null) timer = setTimeout(runningFault.stop, fault.forMs).unref()
  }
}
