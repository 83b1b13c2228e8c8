/**
 * Cookies of pending sign-ins: one per transaction, so that two tabs do not overwrite each other's cookie. A browser keeps at most five of
 * them, with at most 4,096 characters of values together; the oldest go first. A cookie that does not open does not belong to Coatcheck. It
 * costs no command and stays as it is.
 */
import { TRANSACTION_LIFE_MS, type StartedTransaction } from '../oidc/transaction.ts'
import { putSetCookie } from './cookie.ts'
import type { RouteDeps } from './route-deps.ts'
import type { RouteRequest } from './route-request.ts'

const MAX_PENDING = 5
/** Every request carries these cookies. Node refuses more than 16 KiB of headers, and nginx refuses a line of more than 8 KiB. */
const MAX_PENDING_CHARACTERS = 4096
/** Maximum number of cookies that one response expires. A well-behaved browser has at most one too many. */
const MAX_EXPIRED = 5

/** Returns the value of this browser's cookie for the transaction; `null` without a cookie, or with more than one. */
export function pendingSignIn<D extends object>(
  { cookies }: Pick<RouteDeps<D>, 'cookies'>,
  { cookieHeader }: Pick<RouteRequest<D>, 'cookieHeader'>,
  id: string,
): string | null {
  const cookie = cookies.readTransaction(cookieHeader, id)
  return cookie.status === 'one' ? cookie.value : null
}

/** Sets the cookie of a new sign-in, and expires the oldest ones that exceed the limits. */
export function addPending<D extends object>(
  deps: RouteDeps<D>,
  request: RouteRequest<D>,
  { id, sealed }: StartedTransaction,
): void {
  const { cookies } = deps
  const newestFirst = [...openPending(deps, request)].sort((a, b) => b.expiresAtMs - a.expiresAtMs)
  let characters = sealed.length
  const surplus = newestFirst.filter((pending, i) => {
    characters += pending.characters
    return i + 1 >= MAX_PENDING || characters > MAX_PENDING_CHARACTERS
  })
  for (const old of surplus.slice(-MAX_EXPIRED)) putSetCookie(request.sink, cookies.clearTransaction(old.id))
  putSetCookie(request.sink, cookies.transaction(id, sealed, TRANSACTION_LIFE_MS / 1000))
}

function* openPending<D extends object>(
  deps: RouteDeps<D>,
  request: RouteRequest<D>,
): Generator<{ readonly id: string; readonly characters: number; readonly expiresAtMs: number }> {
  for (const id of deps.cookies.transactionIds(request.cookieHeader)) {
    const sealed = pendingSignIn(deps, request, id)
    const transaction = sealed === null ? null : deps.signIn.transactions.open(id, sealed)
    if (sealed !== null && transaction) yield { id, characters: sealed.length, expiresAtMs: transaction.expiresAtMs }
  }
}
