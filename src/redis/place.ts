/** Identifies Redis servers by their addresses, so that processes can compare where they look for old keys. */
import { createHash } from 'node:crypto'
import { type Wire, wiresOfClient, wireTo } from './plaintext.ts'
import type { SuppliedClient } from './supplied-client.ts'
import type { Destination } from './target.ts'

/** Spellings of this machine that processes of one application use side by side. */
const LOOPBACK: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '::1'])

/**
 * Returns a hash of the addresses and the number of the database, without credentials. Clusters and sentinels that the application created hide
 * their addresses, so all of them have one place.
 */
export function placeOfServers(to: Destination | SuppliedClient): string {
  const [name, wires] = 'kind' in to ? serversOf(to) : ['', wiresOfClient(to)]
  return createHash('sha256')
    .update(JSON.stringify([name, wires.map(serverOf).sort()]))
    .digest('base64url')
}

function serversOf(to: Destination): readonly [string, readonly Wire[]] {
  switch (to.kind) {
    case 'single':
      return ['', [wireTo(to.target)]]
    case 'cluster':
      return ['', to.target.nodes.map((address) => wireTo({ ...to.target.access, address }))]
    case 'sentinel':
      return [to.target.name, to.target.sentinels.map(wireTo)]
  }
}

function serverOf({ address, database }: Wire): string {
  if ('path' in address) return `${address.path}/${database}`
  const host = address.host.toLowerCase()
  return `${LOOPBACK.has(host) ? 'localhost' : host}:${address.port}/${database}`
}
