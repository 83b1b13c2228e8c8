/**
 * Refuses requests from other machines on a loopback base URL, which is for development on one machine. There the cookie is not Secure, and
 * the memory store and generated keys are allowed. A deployment with a forgotten base URL thus fails visibly instead of sending session
 * cookies over plain http. Every adapter uses this check, for routes and for sessions.
 */
import type { ResolvedConfig } from '../config/types.ts'
import { OidcError } from '../core/errors.ts'
import { isLocalAddress } from '../core/local-address.ts'
import { isLoopbackHost } from '../core/loopback-host.ts'
import { processState } from '../core/process-state.ts'
import { safeText } from '../core/redact.ts'

const SHOWN_CHARACTERS = 80

/** Sender of a request, as far as the adapter knows. */
export interface Peer {
  /** Address of the socket. `undefined`: the adapter does not see it, or it is a unix socket. The `Host` header decides then. */
  readonly address: string | undefined
  /** Address of the client behind proxies that the framework is configured to trust (`trust proxy`, `clientIp`). */
  readonly clientIp?: string | undefined
  /** The `Host` header. Browsers send a loopback name only to their own machine. */
  readonly host: string | null | undefined
}

export type PeerPolicy = Pick<ResolvedConfig<object>, 'baseUrl' | 'loopback' | 'localPeers'>

/** @returns `null` for a request from this machine, and always if the base URL is not a loopback address */
export function peerRefusal(peer: Peer, { baseUrl, loopback, localPeers }: PeerPolicy): OidcError | null {
  if (!loopback) return null
  const remote = [peer.address, peer.clientIp].find((one) => one !== undefined && !isLocalAddress(one, localPeers))
  if (remote === undefined && (peer.address !== undefined || isLocalHost(peer.host))) return null
  const origin = remote === undefined ? `to the host ${shown(peer.host ?? 'none')}` : `from ${shown(remote)}`
  const message = `The base URL is ${baseUrl.origin}, a loopback address, and a request came ${origin}.`
  const refusal = new OidcError('COATCHECK_REQUEST_NOT_LOCAL', { message })
  // Logged once for each base URL: unknown clients may send any number of requests from any address. The page for visitors shows no
  // address.
  processState(`announced a request from elsewhere to ${baseUrl.origin}`, () =>
    process.stderr.write(`coatcheck: ${refusal.message}\n`),
  )
  return refusal
}

/** @throws {OidcError} `COATCHECK_REQUEST_NOT_LOCAL` */
export function assertLocalPeer(peer: Peer, policy: PeerPolicy): void {
  const refusal = peerRefusal(peer, policy)
  if (refusal) throw refusal
}

function isLocalHost(host: string | null | undefined): boolean {
  const url = `http://${host ?? ''}`
  return URL.canParse(url) && isLoopbackHost(new URL(url).hostname)
}

function shown(text: string): string {
  return safeText(text, SHOWN_CHARACTERS)
}
