/**
 * Locates sealed values, and reads from the first bytes of each value its address and the key that sealed it. The byte layout stays with
 * its owners: addresses come from `session/`, `token/` and `documents/`, opening and sealing from `keyring/`.
 */
import { END_OF_LIFE_BYTES, GENERATION_BYTES, SEALED_HEAD_BYTES } from '../keyring/record-layout.ts'
import { documentAddress } from '../documents/documents.ts'
import type { Keyring } from '../keyring/keyring.ts'
import { isSealed, keyTagOf, type SealAddress } from '../keyring/seal.ts'
import type { KeyFamily, KeyName } from '../stores/key-names.ts'
import { FIELD_HEADS } from '../stores/redis/scripts/inspection.ts'
import { isAnonymousRecord } from '../session/session-driver.ts'
import { sessionAddress } from '../session/session-vault.ts'
import { tokenAddress } from '../token/token-codec.ts'
import { grantField, msalField, parseField } from '../token/token-fields.ts'
import type { StoreServer } from '../stores/redis/operator-view.ts'
import { ADMIN_DEADLINE_MS, askFor } from './scan.ts'

/** One sealed value. */
export interface SealedValue {
  readonly name: KeyName
  /** Field of a hash; `null`: the key itself holds the value. */
  readonly field: Buffer | null
  readonly headroom: number
  /** `null`: a later version wrote it, so its address is unknown here. */
  readonly address: SealAddress | null
  /** Id of the key that sealed it; `unknown (…)` with the tag for a key that the ring does not contain. */
  readonly keyId: string
  readonly isCurrent: boolean
}

/** Storage of sealed values. Families that are not listed hold none. */
const KEPT: { readonly [Family in KeyFamily]?: { readonly isHash: boolean; readonly headroom: number } } = {
  session: { isHash: false, headroom: GENERATION_BYTES },
  tokens: { isHash: true, headroom: END_OF_LIFE_BYTES },
  appTokens: { isHash: true, headroom: END_OF_LIFE_BYTES },
  revocations: { isHash: true, headroom: END_OF_LIFE_BYTES },
  document: { isHash: false, headroom: 0 },
}

export interface SealedContext {
  readonly server: StoreServer
  readonly prefix: string
  readonly keyring: Keyring
}

/**
 * Returns the sealed values of this key. Empty for a family without them, an ended document, a counter, or a lease.
 * @throws {RedisError}
 */
export async function sealedValuesOf(context: SealedContext, name: KeyName): Promise<readonly SealedValue[]> {
  const kept = KEPT[name.family]
  if (kept === undefined) return []
  const { headroom, isHash } = kept
  const bytes = headroom + SEALED_HEAD_BYTES
  if (!isHash) {
    const head = (await askFor(context.server, name.key, ['GETRANGE', name.key, '0', String(bytes - 1)])) as Buffer
    return isSealed(head, headroom) ? [valueOf(context, name, null, head, headroom)] : []
  }
  const flat = (await context.server.client.script(FIELD_HEADS, [name.key], ['0', '0', String(bytes)], {
    deadlineMs: ADMIN_DEADLINE_MS,
  })) as readonly Buffer[]
  const values: SealedValue[] = []
  for (let i = 0; i + 1 < flat.length; i += 2) {
    const [field, head] = [flat[i] as Buffer, flat[i + 1] as Buffer]
    if (isSealed(head, headroom) && !isLease(field)) values.push(valueOf(context, name, field, head, headroom))
  }
  return values
}

function valueOf(
  { keyring, prefix }: SealedContext,
  name: KeyName,
  field: Buffer | null,
  head: Buffer,
  headroom: number,
): SealedValue {
  const tag = keyTagOf(head, headroom)
  return {
    name,
    field,
    headroom,
    address: addressOf(prefix, name, field, head),
    keyId: keyring.idOf(tag) ?? `unknown (${tag.toString('hex')})`,
    isCurrent: keyring.active.tag.equals(tag),
  }
}

function addressOf(prefix: string, name: KeyName, field: Buffer | null, head: Buffer): SealAddress | null {
  const { family, userKey, id, kind, hash } = name
  switch (family) {
    case 'session':
      return sessionAddress(prefix, { kind: isAnonymousRecord(head) ? 'anonymous' : 'user', userKey, id })
    case 'document':
      return documentAddress(prefix, { kind, name: hash })
    case 'tokens':
      return fieldAddress(prefix, userKey, String(field))
    case 'appTokens':
      return fieldAddress(prefix, hash, String(field))
    case 'revocations':
      // Uses the address that it had among the tokens of its user. Provider names contain no colon, and the nonce follows the first one.
      return tokenAddress(prefix, 'grant', userKey, grantField(String(field?.subarray(0, field.indexOf(':')))))
    default:
      return null
  }
}

function fieldAddress(prefix: string, owner: string, field: string): SealAddress | null {
  if (field === msalField) return tokenAddress(prefix, 'msal', owner, field)
  const parsed = parseField(field)
  return parsed && tokenAddress(prefix, parsed.kind, owner, field)
}

function isLease(field: Buffer): boolean {
  return parseField(field.toString())?.kind === 'lease'
}
