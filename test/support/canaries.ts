/**
 * The search for secrets where none may be: in a dump, a log, a response. A canary is looked for as it is and in the forms in
 * which it could have been carried away: hexadecimal, URL-encoded, base64 and base64url, also in the middle of something longer
 * that was encoded as a whole, and as the bytes that it stands for itself.
 */
export interface Canary {
  /** What it is, e.g. `refresh token`. Findings name this and never the value. */
  readonly kind: string
  readonly value: string | Buffer
}

export interface Finding {
  readonly kind: string
  readonly form: string
  readonly place: string
}

interface Needle {
  readonly kind: string
  readonly form: string
  readonly bytes: Buffer
}

export interface CanarySearch {
  /** Every kind and form that stands in `content`. */
  find(place: string, content: string | Buffer): readonly Finding[]
}

/** Shorter ones turn up by chance in megabytes of sealed bytes. */
const SHORTEST_NEEDLE = 10

export function searchFor(canaries: readonly Canary[]): CanarySearch {
  const needles = new Map<string, Needle>()
  for (const canary of canaries) {
    for (const needle of needlesOf(canary)) {
      const name = needle.bytes.toString('latin1')
      if (!needles.has(name)) needles.set(name, needle)
    }
  }
  return {
    find(place, content) {
      const haystack = Buffer.from(content)
      return [...needles.values()]
        .filter(({ bytes }) => haystack.includes(bytes))
        .map(({ kind, form }) => ({ kind, form, place }))
    },
  }
}

function needlesOf({ kind, value }: Canary): Needle[] {
  const bytes = Buffer.from(value)
  if (bytes.length < SHORTEST_NEEDLE)
    throw new Error(`A ${kind} of ${String(bytes.length)} bytes is too short to look for.`)
  const forms: [form: string, bytes: string | Buffer][] = formsOf(bytes)
  if (typeof value === 'string') {
    forms.push(['URL-encoded', encodeURIComponent(value)])
    if (/^[\w+/-]{16,}=*$/.test(value)) {
      const decoded = Buffer.from(value, 'base64')
      for (const [form, text] of formsOf(decoded)) forms.push([`decoded, ${form}`, text])
    }
    // A token is worth something without its readable header, too.
    const parts = value.split('.')
    if (parts.length === 3) forms.push(['payload', parts[1]!], ['signature', parts[2]!])
  }
  return forms.map(([form, text]) => ({ kind, form, bytes: Buffer.from(text) }))
}

function formsOf(bytes: Buffer): [form: string, bytes: string | Buffer][] {
  const hex = bytes.toString('hex')
  const encoded = [0, 1, 2].map((shift) => base64Within(bytes, shift))
  return [
    ['raw', bytes],
    ['hex', hex],
    ['hex', hex.toUpperCase()],
    ...encoded.flatMap((text): [string, string][] => [
      ['base64', text],
      ['base64url', text.replaceAll('+', '-').replaceAll('/', '_')],
      ['URL-encoded base64', encodeURIComponent(text)],
    ]),
  ]
}

/** The characters that base64 makes of `bytes` alone when `shift` (modulo 3) other bytes stand before and any behind. */
function base64Within(bytes: Buffer, shift: number): string {
  const shifted = Buffer.concat([Buffer.alloc(shift), bytes])
  return shifted.toString('base64').slice(Math.ceil((shift * 8) / 6), Math.floor((shifted.length * 8) / 6))
}
