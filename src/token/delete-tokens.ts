/** Deletes tokens on request. With `durability`, it remembers the deleted token families (`unreplicated-grants.ts`). */
import type { UnreplicatedGrants } from './unreplicated-grants.ts'
import type { TokenCodec } from './token-codec.ts'
import type { TokenDriver, TokensDeleted } from './token-driver.ts'
import { fieldsOf, parseField } from './token-fields.ts'

/** @param provider `null`: of all providers */
export type DeleteTokens = (userKey: string, provider: string | null) => Promise<TokensDeleted>

export function createDeleteTokens(deps: {
  readonly driver: TokenDriver
  readonly codec: TokenCodec
  readonly unreplicated: UnreplicatedGrants
}): DeleteTokens {
  const { driver, codec, unreplicated } = deps

  /** Token families by provider. A grant that does not open is left out: no process can use it. */
  const families = async (userKey: string, wanted: string | null): Promise<Map<string, string>> => {
    const found = new Map<string, string>()
    for (const [field, record] of await driver.readAll(userKey)) {
      const { kind, provider = '' } = parseField(field) ?? {}
      if (kind !== 'grant' || (wanted !== null && provider !== wanted)) continue
      const opened = codec.openGrant(userKey, field, record)
      if (typeof opened !== 'string') found.set(provider, opened.value.family)
    }
    return found
  }

  return async (userKey, provider) => {
    const before = driver.isDurable === true ? await families(userKey, provider) : new Map<string, string>()
    const deleted = await driver.delete(userKey, ...(provider === null ? [] : [fieldsOf(provider)]))
    for (const [name, family] of before) unreplicated.ended({ userKey, provider: name }, family, deleted.durable)
    return deleted
  }
}
