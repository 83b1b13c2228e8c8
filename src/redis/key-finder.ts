/** Finds key names that lie on a given server, for checks that need one key on each server. */
import calculateSlot from 'cluster-key-slot'
import type { RedisClientPort, ServerPort } from './client-port.ts'
import { parseSlots, type SlotMap } from './cluster-slots.ts'
import { nameOfAddress } from './target.ts'

const DEADLINE_MS = 3000
/** Number of names to try. With a hundred servers, one name in a hundred fits. */
const NAMES_TRIED = 10_000

/** Returns the first generated name that lies on the server; `null` if none was found. */
export type KeyFinder = (server: ServerPort, nameOf: (number: number) => string) => string | null

/** @throws {RedisError} if a cluster does not answer `CLUSTER SLOTS` */
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
