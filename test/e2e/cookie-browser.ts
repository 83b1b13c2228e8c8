/** A browser without a window: cookies by host, redirects followed, forms posted. For what needs no script. */
export interface Visited {
  readonly url: URL
  readonly status: number
  readonly page: string
}

export class CookieBrowser {
  readonly #jars = new Map<string, Map<string, string>>()

  /** @param form posted; what a redirect leads to is then fetched */
  async visit(address: string | URL, form?: Readonly<Record<string, string>>): Promise<Visited> {
    let url = new URL(address)
    let body = form
    for (;;) {
      const jar = this.#jarOf(url)
      const response = await fetch(url, {
        redirect: 'manual',
        headers: {
          accept: 'text/html',
          cookie: [...jar].map(([name, value]) => `${name}=${value}`).join('; '),
          ...(body && { origin: url.origin }),
        },
        ...(body && { method: 'POST', body: new URLSearchParams(body) }),
      })
      for (const cookie of response.headers.getSetCookie()) {
        const [name = '', value = ''] = cookie.split(';')[0]?.split(/=(.*)/s) ?? []
        if (value === '') jar.delete(name)
        else jar.set(name, value)
      }
      const location = response.headers.get('location')
      if (location === null) return { url, status: response.status, page: await response.text() }
      url = new URL(location, url)
      body = undefined
    }
  }

  #jarOf({ hostname }: URL): Map<string, string> {
    const jar = this.#jars.get(hostname) ?? new Map<string, string>()
    this.#jars.set(hostname, jar)
    return jar
  }
}
