/**
 * A loopback base URL is for development on one machine: the cookie is without Secure there, and the memory store and drawn keys
 * are allowed. A request from another machine is refused, so that a deployment with a forgotten base URL shows its mistake
 * instead of sending session cookies over plain http. Every adapter passes through here, for routes and for sessions.
 */
import type { ResolvedConfig } from '../config/types.ts'
import { OidcError } from '../core/errors.ts'
import { isLocalAddress } from '../core/local-address.ts'
import { isLoopbackHost } from '../core/loopback-host.ts'
import { processState } from '../core/process-state.ts'
import { safeText } from '../core/redact.ts'

const SHOWN_CHARACTERS = 80

/** Who sent a request, as far as the adapter knows. */
export interface Peer {
  /** Of the socket. `undefined`: the adapter does not see it, or it is a unix socket; the `Host` header decides then. */
  readonly address: string | undefined
  /** Of the client behind proxies that the framework has been told to believe (`trust proxy`, `clientIp`). */
  readonly clientIp?: string | undefined
  /** The `Host` header. Browsers send a loopback name only to their own machine. */
  readonly host: string | null | undefined
}

export type PeerPolicy = Pick<ResolvedConfig<object>, 'baseUrl' | 'loopback' | 'localPeers'>

/** @returns `null` for a request from this machine, and always where the base URL is not a loopback address */
export function peerRefusal(peer: Peer, { baseUrl, loopback, localPeers }: PeerPolicy): OidcError | null {
  if (!loopback) return null
  const remote = [peer.address, peer.clientIp].find((one) => one !== undefined && !isLocalAddress(one, localPeers))
  if (remote === undefined && (peer.address !== undefined || isLocalHost(peer.host))) return null
  const origin = remote === undefined ? `to the host ${shown(peer.host ?? 'none')}` : `from ${shown(remote)}`
  const message = `The base URL is ${baseUrl.origin}, a loopback address, and a request came ${origin}.`
  const refusal = new OidcError('COATCHECK_REQUEST_NOT_LOCAL', { message })
  // Once for each base URL: strangers may ask without end, from any address, and the page for visitors holds no address.
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
