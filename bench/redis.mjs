/** A redis-server of our own for a benchmark: a free port, no persistence, stopped by process id. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { createClient } from 'redis'

/** @param {(redis: { url: string, commandCount: () => Promise<number>, outputBytes: () => Promise<number> }) => Promise<T>} use @template T */
export async function withRedis(use) {
  const port = await freePort()
  const server = spawn(
    'redis-server',
    ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'],
    {
      stdio: 'ignore',
    },
  )
  const stop = () => server.kill('SIGKILL')
  process.once('exit', stop)
  const url = `redis://127.0.0.1:${port}`
  const client = await createClient({ url })
    .on('error', () => undefined)
    .connect()
  try {
    return await use({
      url,
      outputBytes: async () => Number(/total_net_output_bytes:(\d+)/.exec(await client.info('stats'))?.[1]),
      commandCount: async () => Number(/total_commands_processed:(\d+)/.exec(await client.info('stats'))?.[1]),
    })
  } finally {
    client.destroy()
    stop()
    await once(server, 'exit')
    process.off('exit', stop)
  }
}

async function freePort() {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port } = probe.address()
  probe.close()
  await once(probe, 'close')
  return port
}
