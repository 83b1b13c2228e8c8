/**
 * Records every exchange of every HTTP server in a process, as it went over the wire: loaded before the program by
 * `NODE_OPTIONS=--import=<this file>`, it appends one line of JSON per response to the file named by HTTP_RECORD. It stands
 * at the servers, not between them, so addresses, cookies and redirects stay what they are. JavaScript, because Node 20 has
 * to load it as it is; `recorded-exchange.ts` reads it back.
 */
import { appendFileSync } from 'node:fs'
import { IncomingMessage, Server } from 'node:http'

const file = process.env.HTTP_RECORD
/** Chunks of request bodies. Reading the stream would take them from the program; `push` is how they come in. */
const requestBodies = new WeakMap()

const { emit } = Server.prototype
Server.prototype.emit = function (event, ...args) {
  if (event === 'request') record(...args)
  return emit.call(this, event, ...args)
}

const { push } = IncomingMessage.prototype
IncomingMessage.prototype.push = function (chunk, ...rest) {
  if (chunk) requestBodies.get(this)?.push(Buffer.from(chunk))
  return push.call(this, chunk, ...rest)
}

function record(request, response) {
  const received = []
  const sent = []
  const { method, url, headers } = request
  const port = request.socket.localPort
  requestBodies.set(request, received)
  for (const name of ['write', 'end']) {
    const original = response[name]
    response[name] = function (chunk, ...rest) {
      if (typeof chunk === 'string') sent.push(Buffer.from(chunk, typeof rest[0] === 'string' ? rest[0] : 'utf8'))
      else if (chunk instanceof Uint8Array) sent.push(Buffer.from(chunk))
      return original.call(this, chunk, ...rest)
    }
  }
  response.once('close', () => {
    const exchange = {
      port,
      request: { method, url, headers, body: Buffer.concat(received).toString() },
      // The header block as it was written, every line of it.
      response: { status: response.statusCode, head: response._header ?? '', body: Buffer.concat(sent).toString() },
    }
    appendFileSync(file, `${JSON.stringify(exchange)}\n`)
  })
}
