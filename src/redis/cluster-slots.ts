/** Parses `CLUSTER SLOTS`, which lists the node of each hash slot, and chooses one map when nodes disagree. */
import type { RedisReply } from './client-port.ts'
import type { RedisAddress } from './redis-url.ts'
import { nameOfAddress } from './target.ts'

export interface SlotRange {
  readonly first: number
  readonly last: number
  readonly address: RedisAddress
}

export type SlotMap = readonly SlotRange[]

/**
 * @param host host of the node that was queried: a node that does not know its own name leaves it empty or sends `?`
 * @returns `null` for an empty map: the node has not joined a cluster yet
 */
export function parseSlots(reply: RedisReply, host: string): SlotMap | null {
  const ranges = (reply as readonly [number, number, readonly [Buffer | null, number]][]).map(
    ([first, last, primary]) => {
      const named = String(primary[0] ?? '')
      return { first, last, address: { host: named === '' || named === '?' ? host : named, port: primary[1] } }
    },
  )
  return ranges.length === 0 ? null : ranges.sort((a, b) => a.first - b.first)
}

export function slotMapText(map: SlotMap): string {
  return map.map(({ first, last, address }) => `${first}-${last}=${nameOfAddress(address)}`).join(' ')
}

/** Returns the map that most nodes report. On a tie, the map received first wins. */
export function agreedMap(maps: readonly SlotMap[]): SlotMap | null {
  const votes = new Map<string, { map: SlotMap; count: number }>()
  for (const map of maps) {
    const text = slotMapText(map)
    const vote = votes.get(text) ?? { map, count: 0 }
    votes.set(text, { map, count: vote.count + 1 })
  }
  return [...votes.values()].sort((a, b) => b.count - a.count)[0]?.map ?? null
}
