/** The outbox of grants in memory, for the drivers that delete tokens. Same semantics as `stores/redis/scripts/outbox.ts`. */
import { END_OF_LIFE_BYTES } from '../../keyring/record-layout.ts'
import { nonceOf } from '../../keyring/seal.ts'
import type { MemorySpace } from './space.ts'

/** Grants by `<provider>:<nonce, hex>`. */
export type Outbox = Map<string, Buffer>

const ENTRY_OVERHEAD_BYTES = 128

/** Reads the grants of these providers, before the token hash is deleted. */
export function grantsOf(hash: ReadonlyMap<string, Buffer> | null, providers: readonly string[]): Outbox {
  const grants: Outbox = new Map()
  for (const provider of providers) {
    const record = hash?.get(`grant:${provider}`)
    if (record) grants.set(`${provider}:${nonceOf(record, END_OF_LIFE_BYTES).toString('hex')}`, record)
  }
  return grants
}

/** @param key key of the outbox */
export function postGrants(space: MemorySpace, key: string, grants: Outbox, lifeMs: number): void {
  if (grants.size > 0) putOutbox(space, key, new Map([...(space.get<Outbox>(key) ?? []), ...grants]), lifeMs)
}

export function putOutbox(space: MemorySpace, key: string, outbox: Outbox, lifeMs: number): void {
  if (outbox.size === 0) {
    space.delete(key)
    return
  }
  let bytes = 0
  for (const [field, record] of outbox) bytes += field.length + record.length + ENTRY_OVERHEAD_BYTES
  space.put(key, outbox, bytes, lifeMs)
}
