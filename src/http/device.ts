/**
 * Describes a device so that its user recognizes it: the names of browser and system, and the network of the address. No decision depends
 * on it, and it is too coarse to locate a person.
 */
import { isIP } from 'node:net'
import Bowser from 'bowser'
import type { Device } from '../session/sign-in-input.ts'

const USER_AGENT_CHARACTERS = 512 // real ones have up to 300; parsing cost grows with the length
const PARSED_KEPT = 500 // an application sees few different ones; parsing costs some 20 µs
const NAME = /^[\p{L}\p{N} ._/-]{1,40}$/u

type Software = Pick<Device, 'browser' | 'system'>
const parsed = new Map<string, Software>()

/** An absent field is unknown. */
export function describeDevice(userAgent: string | null | undefined, ip: string | null | undefined): Device {
  const network = ip ? truncateIp(ip) : null
  return { ...softwareOf((userAgent ?? '').slice(0, USER_AGENT_CHARACTERS)), ...(network !== null && { ip: network }) }
}

/**
 * Shortens an address to its network: the /24 of IPv4, also of IPv4 within IPv6 (`::ffff:203.0.113.7`), and the /48 of IPv6, in RFC 5952
 * notation. `::1` stays as it is, because it names the server itself.
 * @returns `null` for a text that is not an address
 */
export function truncateIp(ip: string): string | null {
  const address = ip.replace(/%.*$/, '')
  const version = isIP(address)
  if (version === 4) return network4(address)
  if (version !== 6) return null
  const groups = groupsOf(address)
  const [high = '0', low = '0'] = groups.slice(6)
  const lead = groups.slice(0, 6).join(':')
  if (lead === '0:0:0:0:0:ffff') return network4(dottedOf(high, low))
  if (lead === '0:0:0:0:0:0' && high === '0' && low === '1') return '::1'
  return `${groups
    .slice(0, 3)
    .join(':')
    .replace(/(?:^|:)0(?::0)*$/, '')}::/48`
}

function network4(address: string): string {
  return `${address.split('.').slice(0, 3).join('.')}.0/24`
}

function dottedOf(...groups: readonly string[]): string {
  return groups.flatMap((group) => [Number.parseInt(group, 16) >> 8, Number.parseInt(group, 16) & 0xff]).join('.')
}

/** Returns the eight groups of an IPv6 address, in lower case and without leading zeros. */
function groupsOf(address: string): readonly string[] {
  // The URL parser writes every IPv6 address in one form, with the longest run of zeros as "::" and IPv4 parts in hex.
  const canonical = new URL(`http://[${address}]`).hostname.slice(1, -1)
  const [head = [], tail] = canonical.split('::').map((part) => (part === '' ? [] : part.split(':')))
  if (tail === undefined) return [...head]
  return [...head, ...Array<string>(8 - head.length - tail.length).fill('0'), ...tail]
}

function softwareOf(userAgent: string): Software {
  if (userAgent === '') return {}
  const known = parsed.get(userAgent)
  if (known) return known
  const software = parse(userAgent)
  if (parsed.size >= PARSED_KEPT) parsed.clear()
  parsed.set(userAgent, software)
  return software
}

function parse(userAgent: string): Software {
  const { browser, os } = Bowser.parse(userAgent)
  // Not a browser: uses the first product token (RFC 9110 section 10.1.5), e.g. "curl".
  const browserName = browser.name || /^([A-Za-z][\w.-]{0,30})(?:\/|$)/.exec(userAgent)?.[1]
  return {
    ...(browserName && NAME.test(browserName) && { browser: browserName }),
    ...(os.name && NAME.test(os.name) && { system: os.name }),
  }
}
