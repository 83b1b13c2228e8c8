/** Reads the small form body of a request and puts it back, so that the next handler can read it as usual. */
import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'

const MAX_BODY_BYTES = 64 * 1024

/** Without a body, or with one of unknown or large length: returns no fields, and reads nothing. */
export async function peekForm(request: IncomingMessage): Promise<URLSearchParams> {
  const length = Number(request.headers['content-length'] ?? 0)
  if (!(length > 0 && length <= MAX_BODY_BYTES)) return new URLSearchParams()
  const chunks: Buffer[] = []
  let received = 0
  while (received < length) {
    const chunk = request.read() as Buffer | null
    if (chunk === null) {
      await once(request, 'readable')
      continue
    }
    chunks.push(chunk)
    received += chunk.length
  }
  const body = Buffer.concat(chunks)
  // In the same tick as the last read, before the stream announces its end.
  request.unshift(body)
  return new URLSearchParams(body.toString())
}
