/** Verifies values with an HMAC-SHA256 after a dot, which cookie-signature, @fastify/cookie and better-call write. */
import { createHmac, timingSafeEqual } from 'node:crypto'

/** Whether the base64 of the signature ends with `=`. */
export type Padding = 'padded' | 'unpadded'

/**
 * Returns the value before the signature. It tries each secret, and compares in constant time. `null`: no secret signed it.
 * @param secrets the current one and those before it
 */
export function unsign(signed: string, secrets: readonly string[], padding: Padding): string | null {
  const dot = signed.lastIndexOf('.')
  if (dot < 1) return null
  const value = signed.slice(0, dot)
  const given = Buffer.from(signed.slice(dot + 1))
  const isSigned = secrets.some((secret) => {
    const base64 = createHmac('sha256', secret).update(value).digest('base64')
    const expected = Buffer.from(padding === 'padded' ? base64 : base64.replace(/=+$/, ''))
    return expected.length === given.length && timingSafeEqual(expected, given)
  })
  return isSigned ? value : null
}
