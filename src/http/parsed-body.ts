/**
 * Restores a parsed body. A body parser in front of the routes has read the stream and stored its result in `request.body`. This module
 * turns the result back into bytes of the same content type, so that the routes handle only one kind of body.
 */

/** Bytes of a parsed body, or `null` if it contains nothing that the content type can carry. */
export function bytesOfParsedBody(body: unknown, contentType: string | undefined): Buffer | null {
  if (body === undefined || body === null) return null
  if (Buffer.isBuffer(body)) return body
  if (typeof body === 'string') return Buffer.from(body)
  if (typeof body !== 'object') return null
  return isForm(contentType) ? Buffer.from(formOf(body).toString()) : Buffer.from(JSON.stringify(body))
}

function isForm(contentType: string | undefined): boolean {
  return contentType?.split(';', 1)[0]?.trim().toLowerCase() === 'application/x-www-form-urlencoded'
}

/** Repeated fields arrive as arrays. Nested fields of a parser (`a[b]=c`) are not Coatcheck fields and are left out. */
function formOf(body: object): URLSearchParams {
  const form = new URLSearchParams()
  for (const [name, value] of Object.entries(body)) {
    for (const single of Array.isArray(value) ? (value as unknown[]) : [value]) {
      if (typeof single === 'string' || typeof single === 'number' || typeof single === 'boolean') {
        form.append(name, String(single))
      }
    }
  }
  return form
}
