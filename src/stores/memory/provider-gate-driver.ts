/** Provider gate in the memory of the process, with the semantics of the Redis driver. */
import type { MemorySpace } from './space.ts'
import { type RedisKeys, redisKeys } from '../keys.ts'
import { GATE_REMEMBERED_MS, type ProviderGateDriver } from '../../token/provider-gate-driver.ts'

const RECORD_BYTES = 64

interface GateRecord {
  readonly failures: number
  /** End of the pause; 0 if there was none. */
  readonly untilMs: number
  /** End of the current trial, or 0. */
  readonly trialMs: number
  readonly outcome: string
}

export function createMemoryProviderGateDriver(
  space: MemorySpace,
  keys: RedisKeys = redisKeys(''),
): ProviderGateDriver {
  const nowMs = (): number => space.clock.now()
  const find = (name: string): GateRecord =>
    space.get<GateRecord>(keys.providerGate(name)) ?? { failures: 0, untilMs: 0, trialMs: 0, outcome: '' }
  const put = (name: string, record: GateRecord, lifeMs: number): void =>
    space.put(keys.providerGate(name), record, RECORD_BYTES, lifeMs)

  // async, so that an error rejects as in the Redis driver
  return {
    async enter(name, trialMs) {
      const record = find(name)
      const waitMs = Math.max(record.untilMs, record.trialMs) - nowMs()
      if (waitMs > 0) return { isOpen: false, waitMs, outcome: record.outcome }
      if (record.untilMs > 0) {
        const lifeMs = space.ttlMs(keys.providerGate(name)) ?? GATE_REMEMBERED_MS
        put(name, { ...record, trialMs: nowMs() + trialMs }, lifeMs)
      }
      return Promise.resolve({ isOpen: true, failures: record.failures })
    },

    async failed(name, pauseMs, outcome) {
      const { failures, untilMs } = find(name)
      const until = pauseMs > 0 ? Math.max(untilMs, nowMs() + Math.ceil(pauseMs)) : untilMs
      put(name, { failures: failures + 1, untilMs: until, trialMs: 0, outcome }, GATE_REMEMBERED_MS + pauseMs)
      return Promise.resolve()
    },

    async worked(name) {
      space.delete(keys.providerGate(name))
      return Promise.resolve()
    },
  }
}
