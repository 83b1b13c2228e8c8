import type { Redis } from './factory.js'

const stateKey = (gameId: string) => `game:{${gameId}}:state`
const seqKey = (gameId: string) => `game:{${gameId}}:seq`
const commandsKey = (gameId: string) => `game:{${gameId}}:cmds`
const COMMANDS_TTL_SECONDS = 3600

interface GameState {
  seq: number
  players: string[]
}

export async function loadState(redis: Redis, gameId: string): Promise<GameState | null> {
  const raw = await redis.get(stateKey(gameId))
  return raw ? (JSON.parse(raw) as GameState) : null
}

async function markSeen(redis: Redis, gameId: string, commandId: string): Promise<boolean> {
  const added = await redis.sadd(commandsKey(gameId), commandId)
  await redis.expire(commandsKey(gameId), COMMANDS_TTL_SECONDS)
  return added === 0
}

export async function createGame(redis: Redis, gameId: string, host: string, commandId: string): Promise<string> {
  if (await redis.exists(stateKey(gameId))) {
    return (await markSeen(redis, gameId, commandId)) ? 'repeated' : 'taken'
  }
  const multi = redis.multi()
  multi.set(seqKey(gameId), '0')
  multi.set(stateKey(gameId), JSON.stringify({ seq: 0, players: [host] }))
  multi.sadd(commandsKey(gameId), commandId)
  multi.expire(commandsKey(gameId), COMMANDS_TTL_SECONDS)
  await multi.exec()
  return 'created'
}

export async function joinGame(redis: Redis, gameId: string, player: string): Promise<GameState | null> {
  const state = await loadState(redis, gameId)
  if (!state) return null
  const seq = await redis.incr(seqKey(gameId))
  const next = { seq, players: [...state.players, player] }
  await redis.set(stateKey(gameId), JSON.stringify(next))
  return next
}

export async function dueGames(redis: Redis, now: number): Promise<string[]> {
  return redis.zrangebyscore('turn:deadlines', '-inf', now, 'LIMIT', 0, 100)
}

export async function trackDeadline(redis: Redis, gameId: string, deadline: number | null): Promise<void> {
  if (deadline === null) await redis.zrem('turn:deadlines', gameId)
  else await redis.zadd('turn:deadlines', deadline, gameId)
}
