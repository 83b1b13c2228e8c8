/** What a rolling deployment with a bridge looks like, for each old package. */
import { builtBridgeApp } from './built-bridge-app.ts'
import { oldPackages } from './old-packages.ts'
import type { OldLibrary } from './old-library.ts'

/** Those whose sessions are in a store. */
const STORED = /connect-redis|store|adapter|storage|prefix/
/** Keys of the old applications, by the prefixes that they chose. */
const OLD_SESSION = /^old-(?:express|fastify|auth0):|^old-authjs:user:session:(?!by-)|^old-better-auth:[A-Za-z0-9]{32}$/

/** @param which names in `oldPackages` */
export function bridgeRollouts(which: RegExp): readonly (readonly [string, OldLibrary])[] {
  const app = builtBridgeApp()
  return oldPackages.flatMap(([name], number) => {
    if (!which.test(name)) return []
    const library: OldLibrary = {
      program: (env) => ({ args: [app()], env: { ...env, ORIGIN: String(number) } }),
      isOldKey: (key) => OLD_SESSION.test(key),
      bridge: { isStored: STORED.test(name), isTouched: name.startsWith('express-session with') },
    }
    return [[name, library] as const]
  })
}
