import { execFileSync } from 'node:child_process'
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { createClient } from 'redis'
import { type PrivateRedis, startPrivateRedis } from './private-redis.ts'

let server: PrivateRedis
beforeAll(async () => {
  server = await startPrivateRedis()
})
afterAll(() => server.close())

async function answerTo(url: string, ...command: string[]): Promise<unknown> {
  const client = createClient({ url, RESP: 2, socket: { reconnectStrategy: false } })
  client.on('error', () => undefined)
  await client.connect()
  try {
    return await client.sendCommand(command)
  } finally {
    client.destroy()
  }
}

it('refuses commands without its password', async () => {
  expect(await answerTo(server.url, 'PING')).toBe('PONG')
  const { host } = new URL(server.url)
  await expect(answerTo(`redis://${host}`, 'PING')).rejects.toThrow('NOAUTH')
  await expect(answerTo(`redis://:guess@${host}`, 'PING')).rejects.toThrow('WRONGPASS')
})

it('opens no port that another user could have taken before it: the proxy reaches it through a socket in its own folder', async () => {
  const [, port] = (await answerTo(server.url, 'CONFIG', 'GET', 'port')) as string[]
  expect(port).toBe('0')
  const [, dir = ''] = (await answerTo(server.url, 'CONFIG', 'GET', 'dir')) as string[]
  const [, socket] = (await answerTo(server.url, 'CONFIG', 'GET', 'unixsocket')) as string[]
  expect(socket).toBe(join(dir, 'redis.sock'))
  expect(statSync(join(dir, 'redis.sock')).mode & 0o077).toBe(0)
})

it('draws a new password for each start, and shows it in no process list and no log', async () => {
  const { password } = new URL(server.url)
  expect(password).toMatch(/^[\w-]{43}$/)
  const [, dir = ''] = (await answerTo(server.url, 'CONFIG', 'GET', 'dir')) as string[]
  expect(execFileSync('ps', ['-eo', 'args'], { encoding: 'utf8' })).not.toContain(password)
  expect(readFileSync(join(dir, 'log'), 'utf8')).not.toContain(password)
  expect(statSync(dir).mode & 0o077).toBe(0)
  expect(statSync(join(dir, 'redis.conf')).mode & 0o077).toBe(0)
  const other = await startPrivateRedis()
  try {
    expect(new URL(other.url).password).not.toBe(password)
  } finally {
    await other.close()
  }
})
