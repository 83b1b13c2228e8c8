/** Provider sessions on Redis: one zset each (redis/scripts/provider-session.ts), and a key per logout token that was used. */
import { checkedTtlMs } from '../../core/time-to-live.ts'
import type { RedisClientPort } from '../../redis/client-port.ts'
import type { RedisKeys } from '../../redis/keys.ts'
import { createScriptRunner } from '../../redis/script-runner.ts'
import { FORGET } from '../../redis/scripts/forget.ts'
import { END_PROVIDER_SESSION, REGISTER, REMEMBER } from '../../redis/scripts/provider-session.ts'
import type { ProviderSessionDriver } from '../provider-session-driver.ts'

export function createRedisProviderSessionDriver(
  client: RedisClientPort,
  keys: RedisKeys,
  { timeOffsetMs = () => 0 }: { readonly timeOffsetMs?: () => number } = {},
): ProviderSessionDriver {
  const run = createScriptRunner(client, timeOffsetMs)
  return {
    async register(name, sessionId, issuedAtSeconds, lifeMs) {
      const args = [sessionId, String(issuedAtSeconds), String(checkedTtlMs(lifeMs, 'lifeMs'))]
      const [status] = await run.inTime(REGISTER, [keys.providerSession(name)], args)
      return String(status) === 'ended' ? 'ended' : 'registered'
    },

    async end(name, endedAtSeconds, markLifeMs) {
      const args = [String(endedAtSeconds), markLifeMs === null ? '' : String(checkedTtlMs(markLifeMs, 'markLifeMs'))]
      return (await run.always(END_PROVIDER_SESSION, [keys.providerSession(name)], args)).map(String)
    },

    async remove(name, sessionIds) {
      const key = keys.providerSession(name)
      if (sessionIds.length > 0) await client.command(key, ['ZREM', key, ...sessionIds])
    },

    async remember(name, lifeMs) {
      const [isFirst] = await run.inTime(REMEMBER, [keys.logoutToken(name)], [String(checkedTtlMs(lifeMs, 'lifeMs'))])
      return isFirst === 1
    },

    async forget(name) {
      await run.inTime(FORGET, [keys.logoutToken(name)], [])
    },
  }
}
