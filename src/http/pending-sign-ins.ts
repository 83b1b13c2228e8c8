/**
 * The cookies of sign-ins under way: one per transaction, so that two tabs do not overwrite each other's, and at most five
 * per browser, the oldest given up first. Value: when it was started (base 36, to find the oldest), a dot, the secret.
 */
import { putSetCookie } from './cookie.ts'
import type { RouteDeps } from './route-deps.ts'
import type { RouteRequest } from './route-request.ts'

const MAX_PENDING = 5

/** The secret that this browser holds for the transaction; `null` without one, or with more than one. */
export function pendingSecret<D extends object>(
  { cookies }: Pick<RouteDeps<D>, 'cookies'>,
  { cookieHeader }: Pick<RouteRequest<D>, 'cookieHeader'>,
  id: string,
): string | null {
  const cookie = cookies.readTransaction(cookieHeader, id)
  return cookie.status === 'one' ? (cookie.value.split('.')[1] ?? null) : null
}

/** Makes room for one more. What is given up is removed from the store too, as far as the store can be asked. */
export async function trimPending<D extends object>(deps: RouteDeps<D>, request: RouteRequest<D>): Promise<void> {
  const { cookies, signIn } = deps
  const ids = cookies.transactionIds(request.cookieHeader)
  if (ids.length < MAX_PENDING) return
  const oldestFirst = ids
    .map((id) => ({ id, startedAtMs: startedAtOf(deps, request, id) }))
    .sort((a, b) => a.startedAtMs - b.startedAtMs)
  for (const { id } of oldestFirst.slice(0, ids.length - MAX_PENDING + 1)) {
    putSetCookie(request.sink, cookies.clearTransaction(id))
    // Only the cookie's holder gets here, and without the cookie the transaction is of no use to anybody.
    if (pendingSecret(deps, request, id) !== null) await signIn.transactions.drop(id).catch(() => undefined)
  }
}

function startedAtOf<D extends object>(
  { cookies }: RouteDeps<D>,
  { cookieHeader }: RouteRequest<D>,
  id: string,
): number {
  const cookie = cookies.readTransaction(cookieHeader, id)
  const startedAtMs = cookie.status === 'one' ? Number.parseInt(cookie.value, 36) : Number.NaN
  return Number.isFinite(startedAtMs) ? startedAtMs : 0
}
