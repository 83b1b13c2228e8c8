/**
 * Reads the certificate that a Redis port presents and checks whether Node would trust it. It performs a TLS handshake and sends no Redis
 * command.
 */
import { connect, type ConnectionOptions } from 'node:tls'
import type { RedisTarget } from './target.ts'

export interface ShownCertificate {
  /** Epoch milliseconds. */
  readonly validUntilMs: number
  /** Why Node does not trust the certificate: a code such as `CERT_HAS_EXPIRED`. `null`: Node trusts it. */
  readonly refusal: string | null
}

/**
 * Sends no credentials.
 * @param target a target with `tls` and a host
 * @returns `null` if no handshake completes within the deadline
 */
export function probeCertificate({ address, tls }: RedisTarget, deadlineMs: number): Promise<ShownCertificate | null> {
  if ('path' in address || tls === null) return Promise.resolve(null)
  const options: ConnectionOptions = {
    host: address.host,
    port: address.port,
    // Safe here: the probe only inspects the certificate and sends nothing over this connection.
    rejectUnauthorized: false,
    ...(tls.servername !== null && { servername: tls.servername }),
    ...(tls.ca !== null && { ca: tls.ca }),
    ...(tls.cert !== null && { cert: tls.cert }),
    ...(tls.key !== null && { key: tls.key }),
  }
  return new Promise((resolve) => {
    const socket = connect(options)
    const end = (shown: ShownCertificate | null): void => {
      clearTimeout(timer)
      socket.destroy()
      resolve(shown)
    }
    const timer = setTimeout(() => end(null), deadlineMs).unref()
    socket.once('secureConnect', () => {
      // The Node documentation says `Error`. Node itself sets a code string.
      const refusal = socket.authorizationError as unknown
      const code = refusal instanceof Error ? ((refusal as NodeJS.ErrnoException).code ?? refusal.message) : refusal
      end({
        validUntilMs: Date.parse(socket.getPeerCertificate().valid_to),
        refusal: typeof code === 'string' && code !== '' ? code : null,
      })
    })
    // Stays attached after the end: an `error` event without a listener ends the process.
    socket.on('error', () => end(null))
  })
}
