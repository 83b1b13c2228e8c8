/**
 * What speaks at an address, asked without any credentials: the client library says nothing useful when a plain client meets
 * a TLS port (the socket closes) or a TLS client a plain one (nothing happens until the attempt times out).
 */
import { connect as connectPlain } from 'node:net'
import type { Duplex } from 'node:stream'
import { connect as connectTls } from 'node:tls'
import { diagnosis, type Diagnosis, isTlsAnswer } from './diagnose.ts'
import type { RedisTarget } from './options.ts'

const PROBE_MS = 1000

/** `null` when the scheme of the URL is not what is wrong. Takes at most a second. */
export async function probeTlsMismatch(target: RedisTarget, endpoint: string): Promise<Diagnosis | null> {
  if ('path' in target.address) return null
  const { host, port } = target.address
  if (target.tls) {
    const plain = connectPlain({ host, port })
    plain.write('PING\r\n')
    const speaksRedis = await settled(
      plain,
      'data',
      (chunk) => /^[+-]/.test(String(chunk)),
      () => false,
    )
    return speaksRedis
      ? diagnosis('COATCHECK_REDIS_TLS', endpoint, 'the port speaks Redis without TLS, and the URL says rediss://')
      : null
  }
  // Only whether a handshake begins counts, so an unknown certificate is as good an answer as a known one.
  const speaksTls = await settled(connectTls({ host, port }), 'secureConnect', () => true, isTlsAnswer)
  return speaksTls ? diagnosis('COATCHECK_REDIS_TLS', endpoint, 'the port speaks TLS, and the URL says redis://') : null
}

function settled(
  socket: Duplex,
  event: string,
  onEvent: (value: unknown) => boolean,
  onError: (error: unknown) => boolean,
): Promise<boolean> {
  return new Promise((resolve) => {
    const end = (answer: boolean): void => {
      clearTimeout(timer)
      socket.destroy()
      resolve(answer)
    }
    const timer = setTimeout(end, PROBE_MS, false).unref()
    socket.once(event, (value: unknown) => end(onEvent(value)))
    // Also after the end: an error that nobody listens to would end the process.
    socket.on('error', (error) => end(onError(error)))
    socket.once('close', () => end(false))
  })
}
