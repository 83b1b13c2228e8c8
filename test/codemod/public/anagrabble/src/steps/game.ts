import type { Redis } from '../factory.js'
import { createBroadcaster, type GameEvent } from '../broadcast.js'
import { createGame, dueGames, joinGame, loadState, trackDeadline } from '../lobby.js'
import { applyPresence } from '../presence.js'

export async function createsAndJoins(redis: Redis) {
  const created = await createGame(redis, 'g1', 'ada', 'c1')
  const repeated = await createGame(redis, 'g1', 'ada', 'c1')
  const taken = await createGame(redis, 'g1', 'bob', 'c2')
  const joined = await joinGame(redis, 'g1', 'bob')
  return { created, repeated, taken, joined, none: await joinGame(redis, 'g9', 'bob'), state: await loadState(redis, 'g1') }
}

export async function marksPresence(redis: Redis) {
  await redis.set('game:{g1}:state', '{"seq":1}')
  const seen = await applyPresence(redis, { stateKey: 'game:{g1}:state', playerId: 'ada', lastSeenAt: 1_700_000_000_000 })
  const none = await applyPresence(redis, { stateKey: 'none', playerId: 'ada', lastSeenAt: 0, observedDeadline: null })
  return { seen, none }
}

export async function findsDueGames(redis: Redis) {
  await trackDeadline(redis, 'g1', 100)
  await trackDeadline(redis, 'g2', 200)
  await trackDeadline(redis, 'g3', 50)
  await trackDeadline(redis, 'g3', null)
  return dueGames(redis, 150)
}

export async function broadcasts(redis: Redis) {
  const broadcaster = await createBroadcaster(redis)
  const received = new Promise<GameEvent>((resolve) => broadcaster.join('g1', resolve))
  const receivers = await broadcaster.publish({ gameId: 'g1', type: 'turn' })
  const event = await received
  await broadcaster.close()
  return { receivers, event }
}
