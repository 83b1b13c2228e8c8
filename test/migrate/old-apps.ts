/**
 * One small application on each library that a bridge reads from: it signs users in with the real package, and says whether it still
 * accepts a cookie. The cookies are what the package itself has set. `old-bridges.ts` has the bridges.
 */
import type { CookieBridge } from '../../src/migrate/cookie-bridge.ts'

export const OLD_SECRET = 'the secret of the old application, 32 characters or more'
/** An hour: what an old session lives for. */
export const OLD_LIFE_MS = 3_600_000

/** What a test changes about a bridge. */
export interface BridgeChanges {
  readonly mode?: 'read' | 'move'
  readonly extend?: boolean
  /** In place of the secret of the application. */
  readonly secret?: string | readonly string[]
  /** Called in front of the function that every bridge here has. */
  readonly onUser?: (old: unknown) => void
}

/** The old package in its usual set-up. */
export interface OldPackage {
  /** As `migration.read` names it. */
  readonly origin: string
  /** Whether a cookie can be checked without a command to Redis. */
  readonly isVerifiable: boolean
  /** Whether the session is in a store, where it can be ended. */
  readonly isStored: boolean
  /** Signs a user in, and returns the `Cookie` header of that browser. @param kilobytes of session data besides the cart */
  signIn(userId: string, kilobytes?: number): Promise<string>
  /** One request. `userId`: whom the old application sees, `null` if it does not accept the cookie. `lines`: its `Set-Cookie` lines. */
  ask(cookie: string): Promise<{ readonly userId: string | null; readonly lines: readonly string[] }>
  /** Where its sessions are: what the bridge takes as `store`. Absent: in the cookie. */
  readonly store?: object
  /** What its cookie begins with, of @fastify/session. */
  readonly cookiePrefix?: string
  close?(): Promise<void>
}

export interface OldApp extends OldPackage {
  bridge(changes?: BridgeChanges): CookieBridge
}

/** Session data of the old applications. */
export const cartOf = (userId: string): string => `cart of ${userId}`

/** The `Cookie` header of a browser that got these `Set-Cookie` lines. */
export function cookieHeader(lines: readonly string[], before = ''): string {
  const jar = new Map(pairsOf(before))
  for (const line of lines) {
    const [pair = ''] = line.split(';')
    const at = pair.indexOf('=')
    const [name, value] = [pair.slice(0, at), pair.slice(at + 1)]
    if (value === '' || /max-age=0\b/i.test(line) || /expires=thu, 01 jan 1970/i.test(line)) jar.delete(name)
    else jar.set(name, value)
  }
  return [...jar].map(([name, value]) => `${name}=${value}`).join('; ')
}

export function pairsOf(header: string): readonly (readonly [string, string])[] {
  return header
    .split('; ')
    .filter((pair) => pair !== '')
    .map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)] as const)
}
