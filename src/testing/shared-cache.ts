/**
 * A small shared cache in front of an application, by the rules of RFC 9111. It stores every response that a shared cache may store. So a
 * response that must not be shared appears as a hit for another visitor.
 */
import { type RawRequest, type RawResponse, sendRaw } from './raw-http.ts'

interface Stored {
  readonly response: RawResponse
  /** The fields that `Vary` names, as in the stored request (section 4.1). */
  readonly selecting: readonly (readonly [string, string | undefined])[]
  readonly freshUntilMs: number
}

export interface CachedResponse extends RawResponse {
  readonly fromCache: boolean
}

export class SharedCache {
  readonly #origin: string
  readonly #stored = new Map<string, Stored[]>()

  constructor(origin: string) {
    this.#origin = origin
  }

  async send(target: string, request: RawRequest = {}): Promise<CachedResponse> {
    const method = request.method ?? 'GET'
    const headers = lowerCase(request.headers ?? {})
    if (method !== 'GET') {
      // Section 4.4: an unsafe method invalidates the stored response of the target.
      this.#stored.delete(target)
      return { ...(await sendRaw(this.#origin, target, request)), fromCache: false }
    }
    const hit = this.#find(target, headers)
    if (hit) return { ...hit.response, fromCache: true }
    const response = await sendRaw(this.#origin, target, request)
    this.#store(target, headers, response)
    return { ...response, fromCache: false }
  }

  #find(target: string, headers: Record<string, string>): Stored | undefined {
    return (this.#stored.get(target) ?? []).find(
      ({ selecting, freshUntilMs }) =>
        Date.now() < freshUntilMs && selecting.every(([name, value]) => headers[name] === value),
    )
  }

  /** Section 3: what a shared cache may store. `Set-Cookie` alone does not forbid storing (section 7.3). */
  #store(target: string, headers: Record<string, string>, response: RawResponse): void {
    const control = directives(response.headers.get('cache-control'))
    const vary = names(response.headers.get('vary'))
    if (vary.includes('*')) return
    if (control.has('no-store') || control.has('private') || control.has('no-cache')) return
    const isShareable = control.has('public') || control.has('s-maxage') || control.has('must-revalidate')
    if (headers['authorization'] !== undefined && !isShareable) return
    // Section 5.2.2.10: `s-maxage` wins over `max-age`.
    const seconds = Number(control.get('s-maxage') ?? control.get('max-age') ?? 0)
    if (!(seconds > 0)) return
    const selecting = vary.map((name) => [name, headers[name]] as const)
    const stored = { response, selecting, freshUntilMs: Date.now() + seconds * 1000 }
    this.#stored.set(target, [stored, ...(this.#stored.get(target) ?? [])])
  }
}

function lowerCase(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))
}

function directives(field: string | undefined): Map<string, string> {
  return new Map(
    (field ?? '').split(',').map((part) => {
      const [name = '', value = ''] = part.trim().split('=')
      return [name.toLowerCase(), value.replaceAll('"', '')]
    }),
  )
}

function names(field: string | undefined): readonly string[] {
  return (field ?? '')
    .split(',')
    .map((name) => name.trim().toLowerCase())
    .filter((name) => name !== '')
}
