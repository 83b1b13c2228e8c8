/**
 * Makes untrusted values safe to show. Used wherever a foreign text enters a message or a log line:
 * it escapes control characters (no log injection), limits lengths, and removes credentials from URLs.
 */
const SHOWN_CHARACTERS = 200

const UNSAFE = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g

/** Returns one printable line of at most 200 characters. */
export function safeText(value: string, maxCharacters: number = SHOWN_CHARACTERS): string {
  const cut = value.length > maxCharacters ? `${value.slice(0, maxCharacters)}…` : value
  return cut.replace(UNSAFE, escaped)
}

// A color of Coatcheck, or a control sequence that a terminal would execute. Line breaks and tabs are layout.
const SCREEN = /\u001b\[[0-9;]*m|[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g
const UNSAFE_IN_JSON = /[\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g

/** Makes a text of many lines safe for a terminal. Only colors keep their effect, if `hasColour` is true. */
export function safeScreen(text: string, hasColour: boolean): string {
  return text.replace(SCREEN, (found) => (hasColour && found.length > 1 ? found : escaped(found)))
}

/** Escapes characters in JSON that a terminal would execute or that reverse the text. Parsing it gives the same value. */
export function safeJson(json: string): string {
  return json.replace(UNSAFE_IN_JSON, escaped)
}

function escaped(text: string): string {
  return text.replace(/[^\u0020-\u007e]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

/**
 * Returns `scheme://user:•••@host:port/path`, or a description for a text that is no URL: never the text itself, which may hold a
 * password.
 */
export function safeUrl(value: string): string {
  try {
    const url = new URL(value)
    if (url.password) url.password = '•••'
    url.search = ''
    url.hash = ''
    return safeText(decodeURIComponent(url.href))
  } catch {
    return `a text of ${value.length} characters that is no URL`
  }
}

/** Describes a value without its content: for messages about options. */
export function describeValue(value: unknown): string {
  if (value === null) return 'null'
  if (value === undefined) return 'undefined'
  if (typeof value === 'string') return value === '' ? 'an empty text' : `a text of ${value.length} characters`
  if (typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint') return String(value)
  if (Array.isArray(value)) return `an array of ${value.length}`
  return typeof value === 'function' ? 'a function' : 'an object'
}

const SHOWN_VALUE_CHARACTERS = 100
/** `user:password@` of a URL, with or without its scheme. The password may contain any character, so the last `@` ends it. */
const USER_INFORMATION = /^((?:[a-z][a-z0-9+.-]*:)?\/\/)?.*@/is

/**
 * Shows the value of a setting that is no secret, so that a reader finds it in their files. A value that looks like a secret is
 * described instead: a client secret in the wrong variable must not reach a log.
 */
export function showValue(value: unknown): string {
  if (typeof value !== 'string' || value === '') return describeValue(value)
  const bare = value.replace(USER_INFORMATION, '$1•••@').replace(/[?#].*$/s, '?•••')
  return looksGenerated(bare) ? describeValue(value) : `"${safeText(bare, SHOWN_VALUE_CHARACTERS)}"`
}

/**
 * Returns whether a part of the value could be a key, a token or a generated password. A slash separates parts only in a value that begins
 * like a URL or a path, because base64 also contains slashes.
 */
function looksGenerated(value: string): boolean {
  return value.split(/[\s,{}]/).some((item) => {
    // A key may also begin with a slash. With 20 characters or more, it has letters of both cases.
    if (/^\.{0,2}\//.test(item))
      return item.length >= LEAST_GENERATED_CHARACTERS && LETTER_CASES.every((one) => one.test(item))
    return item.split(ADDRESS.test(item) ? /[/:@]/ : /[:@]/).some(isGenerated)
  })
}

/** Returns true for 20 characters or more of at least two kinds that are neither a GUID nor a host name. */
function isGenerated(part: string): boolean {
  return part.length >= LEAST_GENERATED_CHARACTERS && kindsIn(part) >= 2 && !GUID.test(part) && !HOST.test(part)
}

function kindsIn(text: string): number {
  return KINDS.filter((kind) => kind.test(text)).length
}

const LEAST_GENERATED_CHARACTERS = 20
const LETTER_CASES = [/[a-z]/, /[A-Z]/]
const KINDS = [...LETTER_CASES, /\d/]
const GUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i
const HOST = /^(?:[a-z0-9-]{1,63}\.)+[a-z]{2,63}$/
/**
 * A URL scheme, or a host name followed by a port or a path. Not any scheme: `id://…` is a key with its id,
 * and base64 that begins with two slashes.
 */
const ADDRESS =
  /^(?:(?:https?|rediss?|valkeys?|unix|file):\/\/|(?:localhost|(?:[a-z0-9-]{1,63}\.)+[a-z]{2,63})(?::\d+)?(?:\/|$))/
