/** Ending tokens by decision. Where that can be durable, it is remembered which sign-ins were ended: see `loose-grants.ts`. */
import type { LooseGrants } from './loose-grants.ts'
import type { TokenCodec } from './token-codec.ts'
import type { TokenDriver, TokensDeleted } from './token-driver.ts'
import { fieldsOf, parseField } from './token-fields.ts'

/** @param provider `null`: of all providers */
export type TokenEnding = (userKey: string, provider: string | null) => Promise<TokensDeleted>

export function createTokenEnding(deps: {
  readonly driver: TokenDriver
  readonly codec: TokenCodec
  readonly loose: LooseGrants
}): TokenEnding {
  const { driver, codec, loose } = deps

  /** By provider. What cannot be opened is not named: nobody can use it either. */
  const lineages = async (userKey: string, wanted: string | null): Promise<Map<string, string>> => {
    const found = new Map<string, string>()
    for (const [field, record] of await driver.readAll(userKey)) {
      const { kind, provider = '' } = parseField(field) ?? {}
      if (kind !== 'grant' || (wanted !== null && provider !== wanted)) continue
      const opened = codec.openGrant(userKey, field, record)
      if (typeof opened !== 'string') found.set(provider, opened.value.lineage)
    }
    return found
  }

  return async (userKey, provider) => {
    const before = driver.isDurable === true ? await lineages(userKey, provider) : new Map<string, string>()
    const deleted = await driver.delete(userKey, ...(provider === null ? [] : [fieldsOf(provider)]))
    for (const [name, lineage] of before) loose.ended({ userKey, provider: name }, lineage, deleted.durable)
    return deleted
  }
}
