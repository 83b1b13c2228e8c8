/** TLS against a real server with certificates made here: trusted, untrusted, for another host, and on the wrong port. */
import { readFileSync } from 'node:fs'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { type Certificates, createCertificates, tlsArguments } from '../support/certificates.ts'
import { closeRedis, libraryMajors, openRedis } from '../support/redis-clients.ts'
import { freePort, type RedisServer, startRedisServer } from '../support/redis-server.ts'

let certificates: Certificates
let tlsPort: number
let server: RedisServer
let plain: RedisServer
let askingPort: number
let asking: RedisServer
const file = (name: string) => certificates.file(name)

beforeAll(async () => {
  certificates = createCertificates()
  tlsPort = await freePort()
  server = await startRedisServer({ port: 0, args: tlsArguments(certificates, tlsPort, 'no') })
  plain = await startRedisServer()
  askingPort = await freePort()
  asking = await startRedisServer({ port: 0, args: tlsArguments(certificates, askingPort, 'yes') })
})
afterEach(closeRedis)
afterAll(async () => {
  await server.stop()
  await plain.stop()
  await asking.stop()
  certificates.remove()
})

describe.each(libraryMajors)('redis $major', ({ install }) => {
  beforeAll(install)
  const url = () => `rediss://127.0.0.1:${tlsPort}`

  test('a certificate of a known authority for this name, given as a file or as text', async () => {
    for (const ca of [file('ca.pem'), readFileSync(file('ca.pem'), 'utf8').replaceAll('\n', '\\n')]) {
      const { set, get } = openRedis({ url: url(), tls: { ca, servername: 'redis.test' } })
      await set('tls', '1')
      expect(await get('tls')).toBe('1')
    }
  })

  test('an unknown authority: TLS', async () => {
    const { redis } = openRedis({ url: url(), tls: { servername: 'redis.test' } })
    await expect(redis.ready()).rejects.toMatchObject({ code: 'COATCHECK_REDIS_TLS' })
  })

  test('a certificate for another name: TLS', async () => {
    const { redis } = openRedis({ url: url(), tls: { ca: file('ca.pem') } })
    const refused = redis.ready()
    await expect(refused).rejects.toMatchObject({ code: 'COATCHECK_REDIS_TLS' })
    await expect(refused).rejects.toThrow(/ALTNAME/)
  })

  test('a server that asks for a certificate of ours gets it, and without one: TLS', async () => {
    const url = `rediss://127.0.0.1:${askingPort}`
    const tls = { ca: file('ca.pem'), servername: 'redis.test' }
    const { set, get } = openRedis({ url, tls: { ...tls, cert: file('server.pem'), key: file('server.key') } })
    await set('mutual', '1')
    expect(await get('mutual')).toBe('1')
    await expect(openRedis({ url, tls }).redis.ready()).rejects.toMatchObject({ code: 'COATCHECK_REDIS_TLS' })
  })

  test('redis:// to a TLS port: TLS, says what to write', async () => {
    const refused = openRedis({ url: `redis://127.0.0.1:${tlsPort}` }).redis.ready()
    await expect(refused).rejects.toMatchObject({ code: 'COATCHECK_REDIS_TLS' })
    await expect(refused).rejects.toThrow(/the port speaks TLS, and the URL says redis:\/\//)
  })

  test('rediss:// to a plain port: TLS, says what to write', async () => {
    const refused = openRedis({ url: `rediss://127.0.0.1:${plain.port}`, connectTimeoutMs: 2500 }).redis.ready()
    await expect(refused).rejects.toMatchObject({ code: 'COATCHECK_REDIS_TLS' })
    await expect(refused).rejects.toThrow(/without TLS, and the URL says rediss:\/\//)
  })
})
