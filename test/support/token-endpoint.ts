/**
 * The token endpoint of a provider, small enough for hundreds of rounds: discovery and refresh grant of RFC 6749, rotation
 * strict (an old refresh token ends the grant, RFC 9700 section 4.14) or lenient (old ones stay valid), a log of requests, and
 * bad days on demand. The development provider is the real one; the first scenarios run on it too.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { providerMetadata } from './provider-metadata.ts'

export interface TokenRequest {
  readonly atMs: number
  readonly refreshToken: string
  readonly resource: string
  readonly answered: 'tokens' | 'refused' | 'fault'
}

/** What happens to a request instead of, or after, being carried out. */
export interface TokenFault {
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  /** Cut the connection, before or after the request was carried out. */
  readonly cut?: 'before' | 'after'
}

export interface TokenEndpoint {
  readonly issuer: string
  readonly requests: TokenRequest[]
  /** Before each answer. */
  delayMs: number
  /** For the next requests, in order. */
  readonly faults: TokenFault[]
  /** A new grant. @returns its refresh token */
  grant(user: string): string
  isAlive(user: string): boolean
  /** The refresh token that was issued last. */
  currentOf(user: string): string
  /** Revoked by RFC 7009, in order. */
  readonly revoked: string[]
  close(): Promise<void>
}

interface Grant {
  current: string
  /** Of this grant, ever. */
  readonly issued: Set<string>
  isAlive: boolean
}

export async function startTokenEndpoint(rotation: 'strict' | 'lenient', port = 0): Promise<TokenEndpoint> {
  const grants = new Map<string, Grant>()
  const requests: TokenRequest[] = []
  const faults: TokenFault[] = []
  const revoked: string[] = []
  let number = 0
  const server = createServer((request, response) => void answer(request, response))
  await new Promise<void>((resolve) => void server.listen(port, '127.0.0.1', resolve))
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const endpoint: TokenEndpoint = {
    issuer,
    requests,
    delayMs: 0,
    faults,
    revoked,
    grant(user) {
      const current = `refresh-${user}-${++number}`
      grants.set(user, { current, issued: new Set([current]), isAlive: true })
      return current
    },
    isAlive: (user) => grants.get(user)?.isAlive === true,
    currentOf: (user) => grants.get(user)?.current ?? '',
    async close() {
      await new Promise<void>((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      })
    },
  }

  const refresh = (refreshToken: string, resource: string): { status: number; body: object } => {
    const grant = [...grants.values()].find(({ issued }) => issued.has(refreshToken))
    if (grant && rotation === 'strict' && grant.current !== refreshToken) grant.isAlive = false
    if (!grant?.isAlive) return { status: 400, body: { error: 'invalid_grant' } }
    grant.current = `refresh-${++number}`
    grant.issued.add(grant.current)
    const tokens = { access_token: `access-${resource}-${number}`, refresh_token: grant.current, expires_in: 3600 }
    return { status: 200, body: { ...tokens, token_type: 'Bearer', scope: 'openid' } }
  }

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    if (request.url === '/.well-known/openid-configuration') {
      send(response, 200, { ...providerMetadata(issuer), revocation_endpoint: `${issuer}/revoke` })
      return
    }
    let text = ''
    for await (const chunk of request) text += String(chunk)
    const form = new URLSearchParams(text)
    if (request.url === '/revoke') {
      revoked.push(form.get('token') ?? '')
      send(response, 200, {})
      return
    }
    const refreshToken = form.get('refresh_token') ?? ''
    const resource = form.get('resource') ?? ''
    const fault = faults.shift()
    const isCarriedOut = fault === undefined || fault.cut === 'after'
    const { status, body } = isCarriedOut ? refresh(refreshToken, resource) : { status: 0, body: {} }
    const answered = fault ? 'fault' : status === 200 ? 'tokens' : 'refused'
    requests.push({ atMs: Date.now(), refreshToken, resource, answered })
    if (endpoint.delayMs > 0) await sleep(endpoint.delayMs)
    if (fault?.cut) request.socket.destroy()
    else if (fault) response.writeHead(fault.status ?? 500, fault.headers).end(fault.body ?? '')
    else send(response, status, body)
  }
  return endpoint
}

function send(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}
