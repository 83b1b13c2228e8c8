/** What certificate a Redis port shows, and whether it would be taken: a handshake without a word of Redis after it. */
import { connect, type ConnectionOptions } from 'node:tls'
import type { RedisTarget } from './target.ts'

export interface ShownCertificate {
  /** Epoch milliseconds. */
  readonly validUntilMs: number
  /** Why it is not trusted: a code of Node such as `CERT_HAS_EXPIRED`. `null`: it is. */
  readonly refusal: string | null
}

/**
 * Sends no credentials.
 * @param target one with `tls` and a host
 * @returns `null` when no handshake came about within the deadline
 */
export function probeCertificate({ address, tls }: RedisTarget, deadlineMs: number): Promise<ShownCertificate | null> {
  if ('path' in address || tls === null) return Promise.resolve(null)
  const options: ConnectionOptions = {
    host: address.host,
    port: address.port,
    // Looked at, and never believed: nothing is sent over this connection.
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
      // An error as the documentation says, a code as Node does.
      const refusal = socket.authorizationError as unknown
      const code = refusal instanceof Error ? ((refusal as NodeJS.ErrnoException).code ?? refusal.message) : refusal
      end({
        validUntilMs: Date.parse(socket.getPeerCertificate().valid_to),
        refusal: typeof code === 'string' && code !== '' ? code : null,
      })
    })
    // Also after the end: an error that nobody listens to would end the process.
    socket.on('error', () => end(null))
  })
}
