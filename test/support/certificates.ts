/** Certificates of an authority of our own, made with openssl, for servers that speak TLS. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface Certificates {
  /** Path of a file: `ca.pem`, `server.pem`, `server.key`. */
  file(name: string): string
  remove(): void
}

export interface CertificateOptions {
  /** How long the server's is valid from now on; negative: it has expired. Default 2. */
  readonly days?: number
}

/** The server's is for the one name `redis.test`. */
export function createCertificates({ days = 2 }: CertificateOptions = {}): Certificates {
  const folder = mkdtempSync(join(tmpdir(), 'coatcheck-tls-'))
  const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: folder, stdio: 'ignore' })
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
  openssl('req', '-x509', ...key, '-keyout', 'ca.key', '-out', 'ca.pem', '-days', '2', '-subj', '/CN=test authority')
  openssl(
    ...['req', ...key, '-keyout', 'server.key', '-out', 'server.csr', '-subj', '/CN=redis.test'],
    ...['-addext', 'subjectAltName=DNS:redis.test'],
  )
  openssl(
    ...['x509', '-req', '-in', 'server.csr', '-CA', 'ca.pem', '-CAkey', 'ca.key', '-out', 'server.pem'],
    ...['-days', String(days), '-copy_extensions', 'copy'],
  )
  return { file: (name) => join(folder, name), remove: () => rmSync(folder, { recursive: true }) }
}

/** Arguments of a redis-server that speaks TLS on this port. */
export function tlsArguments({ file }: Certificates, port: number, clients: 'yes' | 'no'): string[] {
  return [
    ...['--tls-port', String(port), '--tls-cert-file', file('server.pem'), '--tls-key-file', file('server.key')],
    ...['--tls-ca-cert-file', file('ca.pem'), '--tls-auth-clients', clients],
  ]
}
