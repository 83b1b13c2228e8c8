/** Lua that reads the parts of a sealed record. The numbers come from `keyring/record-layout.ts`; Lua counts from 1. */
import { NONCE_AT, NONCE_BYTES } from '../../../keyring/record-layout.ts'

/** The range of the nonce for `string.sub`. @param headroom bytes in front of the sealed part */
export function nonceRange(headroom: number): string {
  return `${headroom + NONCE_AT + 1}, ${headroom + NONCE_AT + NONCE_BYTES}`
}

/**
 * `nonce_of(record)` · `stored_nonce(key)`: '' if there is no record · `head_of(record)`: the headroom · `with_head(head, record)`: the
 * record with another headroom
 * @param headroom bytes in front of the sealed part
 */
export function recordParts(headroom: number): string {
  const nonceAt = headroom + NONCE_AT
  return `
local function nonce_of(record) return string.sub(record, ${nonceRange(headroom)}) end
local function stored_nonce(key) return redis.call('GETRANGE', key, ${nonceAt}, ${nonceAt + NONCE_BYTES - 1}) end
local function head_of(record) return string.sub(record, 1, ${headroom}) end
local function with_head(head, record) return head .. string.sub(record, ${headroom + 1}) end
`
}
