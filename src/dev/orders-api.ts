/**
 * A small protected API that knows no sessions, only access tokens. It checks the signature with the provider's keys, issuer, audience,
 * expiry and scope, and answers with RFC 6750 challenges.
 */
import { createHash } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createRemoteJWKSet, errors, type JWTPayload, jwtVerify } from 'jose'
import { assertDevelopment } from './assert-development.ts'

/** Options of `startOrdersApi()`. */
export interface OrdersApiOptions {
  /** Issuer of the development provider. The API fetches the keys from there. */
  readonly issuer: string
  /** Expected audience. Default `api://orders`. */
  readonly audience?: string
  /** Port. Default 0: any free port, on 127.0.0.1. */
  readonly port?: number
}

/** A running API that accepts access tokens of the development provider. */
export interface OrdersApi {
  /** Address of the API. */
  readonly url: string
  /** Port that the API listens on. */
  readonly port: number
  /** From now on, answers every token that was accepted so far with a claims challenge (continuous access evaluation). */
  challengeTokens(): void
  /** Stops the API. */
  close(): Promise<void>
}

const REQUIRED_SCOPE = 'Orders.Read'
/** Entra ID's resources request a token in this form that is not older than a given time. */
const CLAIMS = '{"access_token":{"nbf":{"essential":true,"value":"1604106651"}}}'

/** @throws `COATCHECK_CONFIG_INSECURE` in production; the error of the system when the port is in use */
export async function startOrdersApi(options: OrdersApiOptions): Promise<OrdersApi> {
  assertDevelopment('The orders API')
  const { issuer, audience = 'api://orders', port = 0 } = options
  const accepted = new Set<string>()
  const challenged = new Set<string>()
  // An unknown key is fetched at once, because the provider's keys may rotate at any time.
  const keys = createRemoteJWKSet(new URL(issuer.replace(/\/v2\.0$/, '/discovery/v2.0/keys')), { cooldownDuration: 0 })

  const verify = async (request: IncomingMessage): Promise<JWTPayload> => {
    const token = /^Bearer ([\w.~+/-]+=*)$/i.exec(request.headers.authorization ?? '')?.[1]
    if (token === undefined) throw new Refusal(401, null)
    const { payload } = await jwtVerify(token, keys, { issuer, audience, algorithms: ['RS256'] }).catch(
      (cause: unknown) => {
        if (cause instanceof errors.JWKSTimeout || !(cause instanceof errors.JOSEError)) throw cause
        throw new Refusal(401, 'invalid_token')
      },
    )
    const scopes = typeof payload.scp === 'string' ? payload.scp.split(' ') : []
    if (!scopes.includes(REQUIRED_SCOPE)) throw new Refusal(403, 'insufficient_scope')
    const name = createHash('sha256').update(token).digest('base64url')
    if (challenged.has(name)) throw new Refusal(401, 'insufficient_claims')
    accepted.add(name)
    return payload
  }

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    if (request.url !== '/orders') {
      send(response, 404, { error: 'not_found' })
      return
    }
    const payload = await verify(request)
    send(response, 200, { owner: payload.name ?? null, orders: ordersOf(payload.sub ?? '') })
  }

  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => {
      if (!(error instanceof Refusal)) send(response, 503, { error: 'temporarily_unavailable' })
      else {
        response.setHeader('www-authenticate', challenge(audience, error.error))
        send(response, error.status, { error: error.error ?? 'unauthorized' })
      }
    })
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(port, '127.0.0.1', resolve)
  })
  const address = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${String(address.port)}`,
    port: address.port,
    challengeTokens() {
      for (const name of accepted) challenged.add(name)
    },
    close: () => close(server),
  }
}

/** RFC 6750 section 3: without a token, the response names no error. */
class Refusal extends Error {
  readonly status: number
  readonly error: string | null
  constructor(status: number, error: string | null) {
    super(error ?? 'no token')
    this.status = status
    this.error = error
  }
}

function challenge(realm: string, error: string | null): string {
  const parts = [`Bearer realm="${realm}"`]
  if (error !== null) parts.push(`error="${error}"`)
  if (error === 'insufficient_scope') parts.push(`scope="${REQUIRED_SCOPE}"`)
  if (error === 'insufficient_claims') parts.push(`claims="${Buffer.from(CLAIMS).toString('base64')}"`)
  return parts.join(', ')
}

interface Order {
  readonly id: string
  readonly item: string
  readonly quantity: number
  /** ISO 4217 amounts, in minor units. */
  readonly totalCents: number
  readonly state: 'delivered' | 'on its way' | 'in preparation'
}

const catalogue: readonly Omit<Order, 'id' | 'quantity'>[] = [
  { item: 'Wool overcoat, charcoal', totalCents: 28_900, state: 'delivered' },
  { item: 'Rain jacket, yellow', totalCents: 11_950, state: 'on its way' },
  { item: 'Trench coat, sand', totalCents: 24_500, state: 'in preparation' },
  { item: 'Down parka, navy', totalCents: 31_000, state: 'delivered' },
  { item: 'Cedar coat hangers, set of six', totalCents: 4_200, state: 'on its way' },
]

/** Returns four orders that are always the same for one user, and differ between users. */
function ordersOf(subject: string): readonly Order[] {
  const start = createHash('sha256').update(subject).digest().readUInt16BE()
  return [0, 1, 2, 3].map((offset) => {
    const line = catalogue[(start + offset) % catalogue.length] as (typeof catalogue)[number]
    const quantity = 1 + ((start + offset) % 2)
    return {
      id: `O-${String(1000 + ((start * 7 + offset * 13) % 9000))}`,
      ...line,
      quantity,
      totalCents: line.totalCents * quantity,
    }
  })
}

function send(response: ServerResponse, status: number, body: object): void {
  response
    .writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' })
    .end(JSON.stringify(body))
}

async function close(server: Server): Promise<void> {
  if (!server.listening) return
  await new Promise<void>((resolve) => {
    server.close(() => {
      resolve()
    })
    server.closeAllConnections()
  })
}
