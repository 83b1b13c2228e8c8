/**
 * Decides which IP addresses belong to this machine: loopback, and the addresses and networks that an operator adds. For socket addresses;
 * `loopback-host.ts` does the same for host names.
 */
import { BlockList, isIP } from 'node:net'

/** `172.18.0.1` or `172.18.0.0/16`, of IPv4 or IPv6. */
export function isAddressOrNetwork(text: string): boolean {
  const [address = '', bits, ...rest] = text.split('/')
  const family = isIP(address)
  if (family === 0 || rest.length > 0) return false
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128))
}

/**
 * @param address as Node reports it: an IPv4 peer of a socket for both families is `::ffff:127.0.0.1`
 * @param added entries for which `isAddressOrNetwork` returns true
 */
export function isLocalAddress(address: string, added: readonly string[]): boolean {
  const plain = address.replace(/^::ffff:(?=\d+\.)/i, '').replace(/%.*$/, '')
  const family = isIP(plain)
  if (family === 0) return false
  const list = new BlockList()
  list.addSubnet('127.0.0.0', 8, 'ipv4')
  list.addAddress('::1', 'ipv6')
  for (const entry of added) {
    const [network = '', bits] = entry.split('/')
    const type = familyName(isIP(network))
    if (bits === undefined) list.addAddress(network, type)
    else list.addSubnet(network, Number(bits), type)
  }
  return list.check(plain, familyName(family))
}

function familyName(family: number): 'ipv4' | 'ipv6' {
  return family === 4 ? 'ipv4' : 'ipv6'
}
