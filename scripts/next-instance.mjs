/**
 * One instance of `examples/next` for the demo: the production server of Next, on `PORT`, which says over its channel that it
 * listens and ends with the process that started it. Outside of the demo: `next start`.
 */
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'

const dir = resolve(import.meta.dirname, '../examples/next')
const port = Number(process.env.PORT ?? 3000)
process.env.NODE_ENV = 'production'
process.env.NEXT_TELEMETRY_DISABLED = '1'

const entry = createRequire(join(dir, 'package.json')).resolve('next')
const { default: next } = await import(pathToFileURL(entry).href)
const app = next({ dir, dev: false, hostname: 'localhost', port })

try {
  await app.prepare()
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exit(1)
}
const handle = app.getRequestHandler()
const server = createServer((request, response) => void handle(request, response))
server.on('error', (error) => {
  console.error(`Cannot listen on port ${port}: ${error.message}`)
  process.exit(1)
})
server.listen(port, '127.0.0.1', () => process.send?.('listening'))

let stopping = false
async function stop() {
  if (stopping) return
  stopping = true
  setTimeout(() => process.exit(0), 3000).unref()
  server.closeAllConnections()
  await new Promise((done) => server.close(done))
  process.exit(0)
}
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'disconnect']) process.once(signal, () => void stop())
