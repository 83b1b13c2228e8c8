/** Decides whether a host name leads to this machine. Development settings are allowed only on such a host. */

/**
 * Recognizes `localhost`, the names below it (RFC 6761 section 6.3), 127.0.0.0/8 and `[::1]`, as `URL.hostname` writes them.
 * `0.0.0.0` means every interface, so it does not count. For URLs that browsers open: the resolver of a server may send
 * names below `localhost` to DNS, so the rule for passwords of Redis is stricter (`leavesMachine`).
 */
export function isLoopbackHost(hostname: string): boolean {
  const host = hostname.toLowerCase()
  return host === 'localhost' || host.endsWith('.localhost') || host === '[::1]' || /^127(?:\.\d{1,3}){3}$/.test(host)
}
