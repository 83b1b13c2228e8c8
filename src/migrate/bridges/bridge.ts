/** Puts a bridge together: the cookie names of a library, the check of its cookies, and the adoption that follows. */
import type { CookiePlace } from '../../http/cookie.ts'
import type { AttachedBridge, BridgeGround, CookieBridge } from '../cookie-bridge.ts'
import { type Adoption, type AdoptionOptions, createAdoption, type VerifiedCookie } from './adoption.ts'
import { clearingLines, findOldCookie, mayHoldCookie, type OldCookieNames } from './old-cookie.ts'

/** A session cookie as the request had it: decoded, and joined from its chunks. */
export interface ReceivedCookie {
  readonly name: string
  readonly value: string
}

/** What only one library knows about its cookies. `null`: the signature or the seal is wrong, or the cookie has expired. No command to Redis. */
export type Verify = (cookie: ReceivedCookie) => VerifiedCookie | null | Promise<VerifiedCookie | null>

export interface BridgeParts<S> extends AdoptionOptions<S> {
  readonly cookies: OldCookieNames
  readonly cookie?: CookiePlace | undefined
  /** Called once per instance. */
  readonly verifier: (ground: BridgeGround) => Verify
}

export function createBridge<S>(parts: BridgeParts<S>): CookieBridge {
  const { origin, cookies, cookie: place = {}, verifier } = parts
  return {
    origin,
    mayHold: (header) => mayHoldCookie(header, cookies),
    clearing: (header) => clearingLines(header, cookies, place),
    attach(ground): AttachedBridge {
      const verify = verifier(ground)
      const { events, clock } = ground
      let opened: Adoption | null = null
      const adoption = async (): Promise<Adoption> => {
        const stores = await ground.open()
        return (opened ??= createAdoption({ ...stores, events, clock }, parts))
      }
      const verified = async (header: string): Promise<VerifiedCookie | null> => {
        const found = findOldCookie(header, cookies)
        if (found.status === 'none') return null
        const cookie = found.status === 'one' ? await verify(found) : null
        if (cookie && (cookie.endsAtMs === null || cookie.endsAtMs > clock.now())) return cookie
        if (events.hasListeners('migration.read')) events.emit('migration.read', { origin, outcome: 'refused' })
        return null
      }
      return {
        async adopt(header, request) {
          const cookie = await verified(header)
          return cookie && (await adoption()).adopt(cookie, request)
        },
        async end(header) {
          const cookie = await verified(header)
          if (cookie) await (await adoption()).end(cookie)
        },
        revoking: async (userKey) => (await adoption()).revoking(userKey),
      }
    },
  }
}
