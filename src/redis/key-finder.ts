/** Names of keys that lie on a certain server, for what has to be tried or kept on each of them. */
import calculateSlot from 'cluster-key-slot'
import type { RedisClientPort, ServerPort } from './client-port.ts'
import { parseSlots, type SlotMap } from './cluster-slots.ts'
import { nameOfAddress } from './target.ts'

const DEADLINE_MS = 3000
/** So many names are tried: with a hundred servers one in a hundred fits. */
const NAMES_TRIED = 10_000

/** The first of the names with this number that lies there; `null` when none was found. */
export type KeyFinder = (server: ServerPort, nameOf: (number: number) => string) => string | null

/** @throws {RedisError} in a cluster, when it does not say who holds which slots */
export async function createKeyFinder(client: RedisClientPort): Promise<KeyFinder> {
  if (!client.isSharded) return (_server, nameOf) => nameOf(0)
  const reply = await client.command('', ['CLUSTER', 'SLOTS'], { deadlineMs: DEADLINE_MS })
  const map = parseSlots(reply, hostOf(client)) ?? []
  return (server, nameOf) => {
    for (let number = 0; number < NAMES_TRIED; number++) {
      const name = nameOf(number)
      if (holderOf(map, calculateSlot(name)) === server.endpoint) return name
    }
    return null
  }
}

function holderOf(map: SlotMap, slot: number): string | null {
  const range = map.find(({ first, last }) => first <= slot && slot <= last)
  return range ? nameOfAddress(range.address) : null
}

/** For a node that does not know its own name. */
function hostOf(client: RedisClientPort): string {
  return (
    client
      .servers()[0]
      ?.endpoint.replace(/:\d+$/, '')
      .replace(/^\[|\]$/g, '') ?? ''
  )
}
