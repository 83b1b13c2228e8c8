/**
 * Finds out which protocol an address speaks, without any credentials. The client library gives no useful error in these cases: if a plain
 * client meets a TLS port, the socket closes; if a TLS client meets a plain port, nothing happens until the attempt times out. Major 4 does
 * not even report a peer that is not Redis.
 */
import { connect as connectPlain } from 'node:net'
import type { Duplex } from 'node:stream'
import { connect as connectTls } from 'node:tls'
import { diagnosis, type Diagnosis, isTlsAnswer } from './diagnose.ts'
import type { RedisTarget } from './target.ts'

const PROBE_MS = 1000
/** RFC 8446 section 5.1: content type of a TLS alert, which some servers send to a plaintext client. */
const TLS_ALERT = 0x15

/** `null` if neither the scheme nor the port is wrong. Takes at most two seconds. */
export async function probeEndpoint({ address, tls }: RedisTarget, endpoint: string): Promise<Diagnosis | null> {
  if ('path' in address) return null
  const first = await firstByteAfterPing(address)
  const speaksRedis = first === '+'.charCodeAt(0) || first === '-'.charCodeAt(0)
  if (speaksRedis) {
    return tls
      ? diagnosis('COATCHECK_REDIS_TLS', endpoint, 'the port speaks Redis without TLS, and the URL says rediss://')
      : null
  }
  if (first !== null && first !== TLS_ALERT) {
    return diagnosis('COATCHECK_REDIS_PROTOCOL', endpoint, 'the server on this port is not Redis')
  }
  if (tls) return null
  // Only the start of a handshake matters, so an unknown certificate counts as well.
  const speaksTls = await firstEventOf(connectTls(address), 'secureConnect', () => true, isTlsAnswer)
  return speaksTls ? diagnosis('COATCHECK_REDIS_TLS', endpoint, 'the port speaks TLS, and the URL says redis://') : null
}

function firstByteAfterPing(address: { readonly host: string; readonly port: number }): Promise<number | null> {
  const plain = connectPlain(address)
  plain.write('PING\r\n')
  const firstByte = (chunk: unknown) => (Buffer.isBuffer(chunk) ? (chunk[0] ?? null) : null)
  return firstEventOf<number | null>(plain, 'data', firstByte, () => null)
}

/** @returns what `onEvent` or `onError` makes of the first event; `onError(null)` if nothing arrives */
function firstEventOf<Answer>(
  socket: Duplex,
  event: string,
  onEvent: (value: unknown) => Answer,
  onError: (error: unknown) => Answer,
): Promise<Answer> {
  return new Promise((resolve) => {
    const end = (answer: Answer): void => {
      clearTimeout(timer)
      socket.destroy()
      resolve(answer)
    }
    const timer = setTimeout(() => end(onError(null)), PROBE_MS).unref()
    socket.once(event, (value: unknown) => end(onEvent(value)))
    // Stays attached after the end: an `error` event without a listener ends the process.
    socket.on('error', (error) => end(onError(error)))
    socket.once('close', () => end(onError(null)))
  })
}
