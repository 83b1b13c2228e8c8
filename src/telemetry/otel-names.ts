/** Names that metrics and traces share. @see https://opentelemetry.io/docs/specs/semconv/general/attributes/ */
import type { Attributes } from '@opentelemetry/api'

/** The instrumentation scope. */
export const LIBRARY = 'coatcheck'

/** Returns the attributes for `host:port`, `[::1]:6379` or the path of a socket. */
export function serverAttributes(server: string): Attributes {
  const [, address, port] = /^(.*):(\d+)$/.exec(server) ?? []
  if (address === undefined) return { 'server.address': server }
  return { 'server.address': address.replace(/^\[(.*)\]$/, '$1'), 'server.port': Number(port) }
}
