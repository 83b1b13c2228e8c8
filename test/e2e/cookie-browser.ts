/**
 * A browser without a window: cookies by host, redirects followed, forms posted, each request a navigation on a connection of
 * its own. For what needs no script. (`fetch` says of itself that it is none.)
 */
import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import { text } from 'node:stream/consumers'

export interface Visited {
  readonly url: URL
  readonly status: number
  readonly page: string
}

type Form = Readonly<Record<string, string>>

export class CookieBrowser {
  readonly #jars = new Map<string, Map<string, string>>()

  /** @param form posted; what a redirect leads to is then fetched */
  async visit(address: string | URL, form?: Form): Promise<Visited> {
    let url = new URL(address)
    let body = form
    for (;;) {
      const answer = await this.#send(url, body)
      const page = await text(answer)
      const { location } = answer.headers
      if (location === undefined) return { url, status: answer.statusCode ?? 0, page }
      url = new URL(location, url)
      body = undefined
    }
  }

  async #send(url: URL, form: Form | undefined): Promise<IncomingMessage> {
    const jar = this.#jarOf(url)
    const body = form && new URLSearchParams(form).toString()
    const headers = {
      accept: 'text/html',
      cookie: [...jar].map(([name, value]) => `${name}=${value}`).join('; '),
      ...(body !== undefined && {
        origin: url.origin,
        'content-type': 'application/x-www-form-urlencoded',
        'content-length': Buffer.byteLength(body),
      }),
    }
    const sent = request(url, { method: body === undefined ? 'GET' : 'POST', headers, agent: false }).end(body)
    const [answer] = (await once(sent, 'response')) as [IncomingMessage]
    for (const cookie of answer.headers['set-cookie'] ?? []) {
      const [name = '', value = ''] = cookie.split(';')[0]?.split(/=(.*)/s) ?? []
      if (value === '') jar.delete(name)
      else jar.set(name, value)
    }
    return answer
  }

  #jarOf({ hostname }: URL): Map<string, string> {
    const jar = this.#jars.get(hostname) ?? new Map<string, string>()
    this.#jars.set(hostname, jar)
    return jar
  }
}
