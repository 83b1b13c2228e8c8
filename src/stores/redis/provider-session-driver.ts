/** Provider sessions on Redis: one zset each (scripts/provider-session.ts), and one key per used logout token. */
import { checkedTtlMs } from '../../core/time-to-live.ts'
import type { RedisClientPort } from '../../redis/client-port.ts'
import type { RedisKeys } from '../keys.ts'
import { createScriptRunner } from '../../redis/script-runner.ts'
import { END_PROVIDER_SESSION, LIST, MARK_USED, membersOf, REGISTER, SWEPT } from './scripts/provider-session.ts'
import { CLOCKS_APART_SECONDS, CROWD_SLACK, type ProviderSessionDriver } from '../../oidc/provider-session-driver.ts'

const REMOVED_PER_COMMAND = 1000

export function createRedisProviderSessionDriver(
  client: RedisClientPort,
  keys: RedisKeys,
  { timeOffsetMs = () => 0 }: { readonly timeOffsetMs?: () => number } = {},
): ProviderSessionDriver {
  const run = createScriptRunner(client, timeOffsetMs)
  const remove = async (name: string, sessionIds: readonly string[]): Promise<void> => {
    const key = keys.providerSession(name)
    for (let at = 0; at < sessionIds.length; at += REMOVED_PER_COMMAND) {
      const some = sessionIds.slice(at, at + REMOVED_PER_COMMAND)
      await client.command(key, ['ZREM', key, ...some.flatMap(membersOf)])
    }
  }
  return {
    async register(name, sessionId, issuedAtSeconds, lifeMs) {
      const ttlMs = checkedTtlMs(lifeMs, 'lifeMs')
      const args = [sessionId, String(issuedAtSeconds), String(ttlMs), String(CROWD_SLACK)]
      const [status] = await run.inTime(REGISTER, [keys.providerSession(name)], args)
      const word = String(status)
      return word === 'ended' || word === 'crowded' ? word : 'registered'
    },

    async list(name) {
      return (await run.always(LIST, [keys.providerSession(name)], [])).map(String)
    },

    async sweep(name, sessionIds) {
      await remove(name, sessionIds)
      await run.always(SWEPT, [keys.providerSession(name)], [])
    },

    async end(name, endedAtSeconds, markLifeMs) {
      const mark = markLifeMs === null ? '' : String(checkedTtlMs(markLifeMs, 'markLifeMs'))
      const args = [String(endedAtSeconds), mark, String(CLOCKS_APART_SECONDS)]
      return (await run.always(END_PROVIDER_SESSION, [keys.providerSession(name)], args)).map(String)
    },

    remove,

    async isUsed(name) {
      const key = keys.logoutToken(name)
      return (await client.command(key, ['EXISTS', key])) === 1
    },

    async markUsed(name, lifeMs) {
      await run.inTime(MARK_USED, [keys.logoutToken(name)], [String(checkedTtlMs(lifeMs, 'lifeMs'))])
    },
  }
}
