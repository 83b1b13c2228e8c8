/** Provider gate on Redis: one hash per provider, `RedisKeys.providerGate`. The steps are in scripts/provider-gate.ts. */
import type { RedisClientPort } from '../../redis/client-port.ts'
import type { RedisKeys } from '../keys.ts'
import { createScriptRunner } from '../../redis/script-runner.ts'
import { FORGET } from './scripts/forget.ts'
import { ENTER_GATE, FAIL_GATE } from './scripts/provider-gate.ts'
import { GATE_REMEMBERED_MS, type ProviderGateDriver } from '../../token/provider-gate-driver.ts'

export function createRedisProviderGateDriver(
  client: RedisClientPort,
  keys: RedisKeys,
  { timeOffsetMs = () => 0 }: { readonly timeOffsetMs?: () => number } = {},
): ProviderGateDriver {
  const run = createScriptRunner(client, timeOffsetMs)
  return {
    async enter(name, trialMs) {
      const [isOpen, number, outcome] = await run.inTime(ENTER_GATE, [keys.providerGate(name)], [String(trialMs)])
      if (isOpen === 1) return { isOpen: true, failures: number as number }
      return { isOpen: false, waitMs: number as number, outcome: String(outcome) }
    },

    async failed(name, pauseMs, outcome) {
      const args = [String(Math.ceil(pauseMs)), outcome, String(GATE_REMEMBERED_MS)]
      await run.inTime(FAIL_GATE, [keys.providerGate(name)], args)
    },

    async worked(name) {
      await run.inTime(FORGET, [keys.providerGate(name)], [])
    },
  }
}
