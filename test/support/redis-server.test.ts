import { expect, test } from 'vitest'
import { startRedisServer } from './redis-server.ts'

test('a server starts, pauses, restarts with its data, and is gone after stop', async () => {
  const server = await startRedisServer()
  expect(await server.cli('set', 'a', '1')).toBe('OK')
  const first = server.pid
  await server.restart({ save: true })
  expect(server.pid).not.toBe(first)
  expect(await server.cli('get', 'a')).toBe('1')
  server.pause()
  await server.kill()
  await expect(server.cli('ping')).rejects.toThrow(/refused/)
  await server.restart()
  expect(await server.cli('ping')).toBe('PONG')
  const last = server.pid
  server.pause()
  await server.stop()
  await server.stop()
  expect(() => process.kill(last, 0)).toThrow(/ESRCH/)
})

test('a unix socket needs no port', async () => {
  const server = await startRedisServer({ unixSocket: true, port: 0 })
  expect(server.url).toBe(`unix://${server.socketPath}`)
  expect(await server.cli('ping')).toBe('PONG')
  await server.stop()
})
