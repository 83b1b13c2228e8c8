/** Access to Redis is taken away while connections stand, and at the next connect. F26 of docs/faults.md. */
import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { afterEach, expect, test } from 'vitest'
import { coatcheck } from '../../src/entries/coatcheck.ts'
import { redisStore } from '../../src/stores/redis/redis-store.ts'
import { createCertificates, tlsArguments } from '../support/certificates.ts'
import { outcome, untilWorks } from '../support/redis-clients.ts'
import { freePort, type RedisServer, startRedisServer } from '../support/redis-server.ts'
import { expectWithin } from './limits.ts'
import { inMs, observed } from './report.ts'

/** A read's deadline, and a machine that is busy with other tests. */
const DEADLINE_MS = 250 + 400
const RECOVERY_MS = 1000

const closing: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

async function asUser(): Promise<{
  server: RedisServer
  allow: (...rules: string[]) => Promise<string>
  read: () => Promise<unknown>
  create: () => Promise<unknown>
}> {
  const server = await startRedisServer()
  closing.push(() => server.stop())
  const allow = (...rules: string[]) => server.cli('acl', 'setuser', 'app', ...rules)
  await allow('on', '>secret', '~*', '&*', '+@all')
  const auth = coatcheck({
    store: redisStore({ url: server.url, username: 'app', password: 'secret' }),
    keys: randomBytes(32).toString('base64'),
    baseUrl: 'https://sessions.example',
  })
  closing.push(() => auth.close())
  await auth.ready()
  const create = () => auth.sessions.create({ userId: 'ada' })
  const { ticket } = await create()
  const read = async (): Promise<void> => {
    expect((await auth.sessions.find(ticket)).session?.user?.id).toBe('ada')
  }
  await read()
  return { server, allow, read, create }
}

test('the user is disabled: said so in time, and back as soon as it is enabled', async () => {
  const { server, allow, read } = await asUser()
  await allow('off')
  // Redis lets connections that stand go on; whoever disables somebody cuts them off.
  await server.cli('client', 'kill', 'user', 'app')
  let slowestMs = 0
  await untilWorks(async () => {
    const { code, ms } = await outcome(read)
    slowestMs = Math.max(slowestMs, ms)
    expect(code).toBe('COATCHECK_REDIS_AUTH')
  })
  for (let i = 0; i < 50; i++) {
    const { code, ms } = await outcome(read)
    expect(code).toBe('COATCHECK_REDIS_AUTH')
    slowestMs = Math.max(slowestMs, ms)
  }
  expectWithin(slowestMs, DEADLINE_MS)
  await allow('on')
  const recoveryMs = await untilWorks(read)
  expectWithin(recoveryMs, RECOVERY_MS)
  observed(
    'F26.disabled',
    `AUTH after ${inMs(slowestMs)} at the latest, back after ${inMs(recoveryMs)}, without a restart`,
  )
})

test('a permission is removed: what needs it says so in time, the rest goes on', async () => {
  const { allow, read, create } = await asUser()
  await allow('-set', '-eval', '-evalsha')
  let slowestMs = 0
  for (let i = 0; i < 50; i++) {
    const { code, ms } = await outcome(create)
    expect(code).toBe('COATCHECK_REDIS_NOPERM')
    slowestMs = Math.max(slowestMs, ms)
    await read()
  }
  await allow('-mget')
  const { code } = await outcome(read)
  expect(code).toBe('COATCHECK_REDIS_NOPERM')
  expectWithin(slowestMs, DEADLINE_MS)
  await allow('+@all')
  await create()
  await read()
  observed('F26.permission', `50 of 50 say NOPERM, after ${inMs(slowestMs)} at the latest; 50 of 50 reads go on`)
})

test('the certificate has expired at the next connect: TLS, never plain text, and back with a new one', async () => {
  const certificates = createCertificates()
  closing.push(async () => certificates.remove())
  const port = await freePort()
  const server = await startRedisServer({ args: tlsArguments(certificates, port, 'no') })
  closing.push(() => server.stop())
  const auth = coatcheck({
    store: redisStore({
      url: `rediss://127.0.0.1:${port}`,
      tls: { ca: certificates.file('ca.pem'), servername: 'redis.test' },
    }),
    keys: randomBytes(32).toString('base64'),
    baseUrl: 'https://sessions.example',
  })
  closing.push(() => auth.close())
  await auth.ready()
  const { ticket } = await auth.sessions.create({ userId: 'ada' })
  const read = async (): Promise<void> => {
    expect((await auth.sessions.find(ticket)).session?.user?.id).toBe('ada')
  }
  const install = async (name: string): Promise<void> => {
    await server.cli('config', 'set', 'tls-cert-file', certificates.file(name))
    await server.cli('client', 'kill', 'type', 'normal')
  }
  const folder = certificates.file('.')
  const signed = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-copy_extensions', 'copy', '-out', 'expired.pem']
  execFileSync('openssl', ['x509', '-req', '-in', 'server.csr', ...signed, '-days', '-1'], {
    cwd: folder,
    stdio: 'ignore',
  })
  await install('expired.pem')
  await untilWorks(async () => expect((await outcome(read)).code).toBe('COATCHECK_REDIS_TLS'))
  let slowestMs = 0
  for (let i = 0; i < 50; i++) {
    const { code, ms } = await outcome(read)
    expect(code).toBe('COATCHECK_REDIS_TLS')
    slowestMs = Math.max(slowestMs, ms)
  }
  expectWithin(slowestMs, DEADLINE_MS)
  await server.cli('config', 'set', 'tls-cert-file', certificates.file('server.pem'))
  const recoveryMs = await untilWorks(read)
  expectWithin(recoveryMs, RECOVERY_MS)
  observed(
    'F26.certificate',
    `TLS after ${inMs(slowestMs)} at the latest, back with a new certificate after ${inMs(recoveryMs)}`,
  )
})
