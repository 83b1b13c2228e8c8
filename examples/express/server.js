// @ts-check
/**
 * Starts the application: `node server.js`. Configuration errors end it before it listens, with the name of what is wrong.
 * SIGTERM and SIGINT end it after the requests under way; so does the end of the process that started it with a channel.
 */
import { createServer } from 'node:http'
import { createApp } from './app.js'
import { auth } from './auth.js'

const port = Number(process.env.PORT ?? 3000)
const host = process.env.HOST ?? '127.0.0.1'

try {
  await auth.ready()
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exit(1)
}

const server = createServer(createApp())
server.on('error', (error) => {
  console.error(`Cannot listen on ${host}:${port}: ${error.message}`)
  process.exit(1)
})
server.listen(port, host, () => {
  if (process.send) process.send('listening')
  else console.log(`ready http://localhost:${port}`)
})

let stopping = false
async function stop() {
  if (stopping) return
  stopping = true
  // Whoever still talks after three seconds is cut off.
  setTimeout(() => process.exit(0), 3000).unref()
  const closed = new Promise((resolve) => server.close(resolve))
  server.closeIdleConnections()
  await closed
  await auth.close()
  process.exit(0)
}
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'disconnect']) process.once(signal, () => void stop())
