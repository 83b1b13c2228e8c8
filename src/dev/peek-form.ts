/**
 * Reads the small form body of a request and puts it back, so that whoever comes next can read it as if nothing happened.
 */
import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'

const MOST_BYTES = 64 * 1024

/** Without a body, with one of unknown length or a large one: no fields, and nothing is read. */
export async function peekForm(request: IncomingMessage): Promise<URLSearchParams> {
  const length = Number(request.headers['content-length'] ?? 0)
  if (!(length > 0 && length <= MOST_BYTES)) return new URLSearchParams()
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
  // In the same tick as the last read: the stream has not announced its end yet.
  request.unshift(body)
  return new URLSearchParams(body.toString())
}
