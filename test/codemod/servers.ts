/** The servers that the fixture application talks to, and the environment that tells it where they are. */
import { createCertificates, tlsArguments } from '../support/certificates.ts'
import { freePort, startRedisServer } from '../support/redis-server.ts'

export interface Servers {
  /** Of the plain server, whose keyspace is compared. */
  readonly url: string
  readonly env: Readonly<Record<string, string>>
  stop(): Promise<void>
}

export async function startServers(): Promise<Servers> {
  const certificates = createCertificates()
  const tlsPort = await freePort()
  const plain = await startRedisServer({ unixSocket: true, args: ['--enable-debug-command', 'yes'] })
  const locked = await startRedisServer({
    args: ['--requirepass', 'secret', '--user', 'app', 'on', '>app-secret', '~*', '+@all'],
  })
  const secure = await startRedisServer({ args: [...tlsArguments(certificates, tlsPort, 'no'), '--port', '0'] })
  const url = `redis://127.0.0.1:${plain.port}`
  return {
    url,
    env: {
      REDIS_URL: url,
      REDIS_PORT: String(plain.port),
      REDIS_SOCKET: plain.socketPath ?? '',
      REDIS_PASSWORD_PORT: String(locked.port),
      REDIS_TLS_PORT: String(tlsPort),
      REDIS_CA: certificates.file('ca.pem'),
      REDIS_CLOSED_PORT: String(await freePort()),
    },
    async stop() {
      await Promise.all([plain.stop(), locked.stop(), secure.stop()])
      certificates.remove()
    },
  }
}
