/**
 * Sends one raw HTTP request: any header (also `Host`), no redirect followed, no cookie kept, no retry. For scenarios that check the exact
 * response of a server.
 */
import { request as httpRequest } from 'node:http'

export interface RawRequest {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

export interface RawResponse {
  readonly status: number
  /** Lower-case names; repeated headers joined by `, `. */
  readonly headers: ReadonlyMap<string, string>
  readonly setCookies: readonly string[]
  readonly body: string
}

/** @param target target of the request line: a path, or any text that a hostile client might send */
export function sendRaw(origin: string, target: string, options: RawRequest = {}): Promise<RawResponse> {
  const { hostname, port } = new URL(origin)
  const { method = 'GET', headers = {}, body } = options
  return new Promise((resolve, reject) => {
    // Uses its own connection, so that no request affects the next one.
    const request = httpRequest({ hostname, port, method, path: target, headers, agent: false }, (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => (text += chunk))
      response.on('error', reject)
      response.on('end', () => {
        const setCookies = response.headers['set-cookie'] ?? []
        const joined = Object.entries(response.headersDistinct).map(
          ([name, values]) => [name, values?.join(', ') ?? ''] as const,
        )
        resolve({ status: response.statusCode ?? 0, headers: new Map(joined), setCookies, body: text })
      })
    })
    request.on('error', reject)
    request.end(body)
  })
}

/** Sends a request and disconnects when the first bytes of the response arrive. */
export function abandon(origin: string, target: string, headers: Readonly<Record<string, string>>): Promise<void> {
  const { hostname, port } = new URL(origin)
  return new Promise((resolve, reject) => {
    const request = httpRequest({ hostname, port, path: target, headers, agent: false }, (response) => {
      response.on('error', () => undefined)
      response.once('data', () => {
        request.destroy()
        resolve()
      })
    })
    request.on('error', reject)
    request.end()
  })
}
