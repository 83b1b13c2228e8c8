/**
 * A line for people to recognise a device by: names of browser and system, and the neighbourhood of the address. Never part
 * of a decision, and too coarse to find anybody with.
 */
import { isIP } from 'node:net'
import Bowser from 'bowser'
import type { Device } from '../session/types.ts'

const USER_AGENT_CHARACTERS = 512 // real ones have up to 300; parsing cost grows with the length
const PARSED_KEPT = 500 // an application sees few different ones; parsing costs some 20 µs
const NAME = /^[\p{L}\p{N} ._/-]{1,40}$/u

type Software = Pick<Device, 'browser' | 'system'>
const parsed = new Map<string, Software>()

/** Absent fields: unknown. */
export function describeDevice(userAgent: string | null | undefined, ip: string | null | undefined): Device {
  const network = ip ? truncateIp(ip) : null
  return { ...softwareOf((userAgent ?? '').slice(0, USER_AGENT_CHARACTERS)), ...(network !== null && { ip: network }) }
}

/** IPv4: the /24. IPv6: the /48. `null` for what is no address. */
export function truncateIp(ip: string): string | null {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(ip)
  const address = mapped?.[1] ?? ip.replace(/%.*$/, '')
  switch (isIP(address)) {
    case 4:
      return `${address.split('.').slice(0, 3).join('.')}.0/24`
    case 6:
      return `${firstHextets(address)}::/48`
    default:
      return null
  }
}

function firstHextets(address: string): string {
  // The URL parser writes every IPv6 address in one way: lower case, no leading zeros, the longest run of zeros as "::".
  const canonical = new URL(`http://[${address}]`).hostname.slice(1, -1)
  const [head = '', tail] = canonical.split('::')
  const groups = head === '' ? [] : head.split(':')
  const missing = tail === undefined ? 0 : 8 - groups.length - (tail === '' ? 0 : tail.split(':').length)
  return [...groups, ...Array<string>(missing).fill('0'), ...(tail ? tail.split(':') : [])].slice(0, 3).join(':')
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
  // Not a browser: the product in front (RFC 9110 section 10.1.5), e.g. "curl".
  const browserName = browser.name || /^([A-Za-z][\w.-]{0,30})(?:\/|$)/.exec(userAgent)?.[1]
  return {
    ...(browserName && NAME.test(browserName) && { browser: browserName }),
    ...(os.name && NAME.test(os.name) && { system: os.name }),
  }
}
