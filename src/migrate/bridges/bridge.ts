/** Creates a bridge from the cookie names of a library and the check of its cookies. A verified cookie goes to the adoption. */
import type { CookiePlace } from '../../http/cookie.ts'
import type { AttachedBridge, BridgeContext, CookieBridge } from '../cookie-bridge.ts'
import { type Adoption, createAdoption } from './adoption.ts'
import type { AdoptionOptions } from './adoption-plans.ts'
import { reporter } from '../origin.ts'
import { watchRefusals } from './refusals.ts'
import type { VerifiedCookie } from './verified-cookie.ts'
import {
  clearingLines,
  everyOldCookie,
  findOldCookies,
  type FoundCookie,
  mayHoldCookie,
  type OldCookieNames,
} from './old-cookie.ts'

/** A session cookie of a request: decoded, and joined from its chunks. */
export interface ReceivedCookie {
  readonly name: string
  readonly value: string
}

/** Verifies a cookie of one library, without a command to Redis. `null`: the signature or the seal is wrong, or the cookie has expired. */
export type Verify = (cookie: ReceivedCookie) => VerifiedCookie | null | Promise<VerifiedCookie | null>

export interface BridgeParts<S> extends AdoptionOptions<S> {
  readonly cookies: OldCookieNames
  readonly cookie?: CookiePlace | undefined
  /** Called once per instance. */
  readonly verifier: (context: BridgeContext) => Verify
}

export function createBridge<S>(parts: BridgeParts<S>): CookieBridge {
  const { origin, cookies, cookie: place = {}, verifier, mode = 'read' } = parts
  return {
    origin,
    mode,
    mayHold: (header) => mayHoldCookie(header, cookies),
    clearing: (header) => clearingLines(header, cookies, place),
    attach(context): AttachedBridge {
      const verify = verifier(context)
      const { events, clock } = context
      let opened: Adoption | null = null
      const adoption = async (): Promise<Adoption> => {
        const stores = await context.open()
        return (opened ??= createAdoption({ ...stores, events, clock }, parts))
      }
      const report = reporter(origin, events)
      const refusals = watchRefusals(origin, events)
      const refuse = (): void => {
        report('refused')
        refusals.refused()
      }
      const check = async ({ name, value }: FoundCookie): Promise<VerifiedCookie | null> => {
        const cookie = value === null ? null : await verify({ name, value })
        return cookie && (cookie.endsAtMs === null || cookie.endsAtMs > clock.now()) ? cookie : null
      }
      /** Returns the verified cookies of the first group that has one. Empty: no cookie verifies, or one may have been planted. */
      const verified = async (header: string): Promise<readonly VerifiedCookie[]> => {
        const groups = findOldCookies(header, cookies)
        for (const group of groups) {
          if (group.some(({ value }) => value === null)) break
          const found = (await Promise.all(group.map(check))).filter((one) => one !== null)
          if (found.length === 0) continue
          refusals.accepted()
          return found
        }
        if (groups.flat().length > 0) refuse()
        return []
      }
      return {
        async adopt(header, request) {
          const found = await verified(header)
          if (found.length === 0) return null
          const adopting = await adoption()
          const cookie = await adopting.agreed(found)
          if (!cookie) refuse()
          return cookie && adopting.adopt(cookie, request)
        },
        /** Ends all verified cookies, also those that would not count, because a browser could send a copy of each one later. */
        async end(header) {
          const all = everyOldCookie(header, cookies)
          const found = (await Promise.all(all.map(check))).filter((one) => one !== null)
          if (found.length === 0 && all.length > 0) refuse()
          if (found.length === 0) return
          const adopting = await adoption()
          // One session that cannot be ended keeps none of the others alive.
          const ended = await Promise.allSettled(found.map((cookie) => adopting.end(cookie)))
          for (const one of ended) if (one.status === 'rejected') throw one.reason
        },
        revoking: async (userKey) => (await adoption()).revoking(userKey),
      }
    },
  }
}
