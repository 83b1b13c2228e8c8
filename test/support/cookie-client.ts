/** A browser without a page: it keeps the cookies of each origin and follows redirects, as far as a sign-in needs. */
const MOST_REDIRECTS = 20

export class CookieClient {
  readonly #jars = new Map<string, Map<string, string>>()

  /** One request. Redirects are not followed. */
  async request(url: string, init: RequestInit = {}): Promise<Response> {
    const { origin } = new URL(url)
    const jar = this.#jars.get(origin) ?? new Map<string, string>()
    this.#jars.set(origin, jar)
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ')
    const headers = { ...(cookie === '' ? {} : { cookie }), ...(init.headers as Record<string, string> | undefined) }
    const response = await fetch(url, { ...init, headers, redirect: 'manual' })
    for (const line of response.headers.getSetCookie()) {
      const [pair = ''] = line.split(';')
      const at = pair.indexOf('=')
      const [name, value] = [pair.slice(0, at), pair.slice(at + 1)]
      if (value === '' || /max-age=0/i.test(line)) jar.delete(name)
      else jar.set(name, value)
    }
    return response
  }

  /** Follows redirects to the end. */
  async follow(url: string): Promise<Response> {
    let at = url
    for (let step = 0; step < MOST_REDIRECTS; step++) {
      const response = await this.request(at)
      const location = response.headers.get('location')
      if (location === null) return response
      await response.body?.cancel()
      at = new URL(location, at).href
    }
    throw new Error(`more than ${String(MOST_REDIRECTS)} redirects from ${url}`)
  }

  cookie(origin: string, name: string): string | undefined {
    return this.#jars.get(origin)?.get(name)
  }

  setCookie(origin: string, name: string, value: string): void {
    const jar = this.#jars.get(origin) ?? new Map<string, string>()
    this.#jars.set(origin, jar.set(name, value))
  }
}
