import type { Redis } from './factory.js'

const SCRIPT = `
local raw = redis.call('GET', KEYS[1])
if not raw then return cjson.encode({ error = 'GameNotFound' }) end
local state = cjson.decode(raw)
state.seen = state.seen or {}
state.seen[ARGV[1]] = tonumber(ARGV[2])
local encoded = cjson.encode(state)
redis.call('SET', KEYS[1], encoded)
return encoded
`

export interface PresenceArgs {
  stateKey: string
  playerId: string
  lastSeenAt: number
  /** Absent for a manual refresh. */
  observedDeadline?: number | null
}

export async function applyPresence(redis: Redis, args: PresenceArgs): Promise<Record<string, unknown>> {
  const raw = (await redis.eval(
    SCRIPT,
    1,
    args.stateKey,
    args.playerId,
    args.lastSeenAt,
    args.observedDeadline ?? '',
  )) as string
  return JSON.parse(raw)
}
