/** A Redis that is not reached, is not let in to, or may lose sessions. */
import { randomBytes } from 'node:crypto'
import { redisStore, type RedisStoreOptions } from '../../../src/stores/redis/redis-store.ts'
import { createCertificates, tlsArguments } from '../../support/certificates.ts'
import { freePort, startRedisServer } from '../../support/redis-server.ts'
import { doctorSays, type Mistake } from '../mistake.ts'
import type { World } from '../world.ts'

const startWith = (world: World, store: RedisStoreOptions): Promise<void> =>
  world.start(world.options({ store: redisStore(store) }))

const unescaped = (['#', '@'] as const).map((character): Mistake => ({
  title: `The password in REDIS_URL holds a ${character} that is not escaped`,
  sample: `REDIS_URL=redis://default:pass${character}word@localhost:6379`,
  make(world) {
    world.setVariables({ REDIS_URL: `redis://default:pass${character}word@127.0.0.1:${world.redis.port}` })
    return world.start(world.options({ store: undefined }))
  },
  code: 'COATCHECK_CONFIG_INVALID',
  what: character === '#' ? /REDIS_URL: has a # in it.*percent-encoded/ : /REDIS_URL: has more than one @ in it/,
  why: /value that cannot be used/,
  fix: /^Put the password into REDIS_PASSWORD/,
}))

export const redisMistakes: readonly Mistake[] = [
  ...unescaped,
  {
    title: 'The port of Redis is wrong',
    sample: 'REDIS_URL=redis://localhost:6380',
    make: (world) => startWith(world, { url: `redis://127.0.0.1:${world.emptyPort}` }),
    code: 'COATCHECK_REDIS_UNREACHABLE',
    what: /^Cannot reach Redis at 127\.0\.0\.1:\d+: connection refused\.$/,
    why: /nothing listens there/,
    fix: /^Check host and port of REDIS_URL and that the server runs/,
  },
  {
    title: 'The password of Redis is missing',
    sample: 'REDIS_URL=redis://localhost:6379',
    make: (world) => startWith(world, { url: world.locked.url }),
    code: 'COATCHECK_REDIS_NOAUTH',
    what: /^Redis at 127\.0\.0\.1:\d+ answered: NOAUTH/,
    why: /wants a password and none was given/,
    fix: /^Set REDIS_PASSWORD/,
  },
  {
    title: 'The password of Redis is wrong',
    sample: 'REDIS_PASSWORD=…',
    make: (world) => startWith(world, { url: world.locked.url, password: randomBytes(12).toString('hex') }),
    code: 'COATCHECK_REDIS_AUTH',
    what: /^Redis at 127\.0\.0\.1:\d+ answered: WRONGPASS/,
    why: /refused the user name or password/,
    fix: /^Check REDIS_USERNAME and REDIS_PASSWORD/,
  },
  {
    title: 'rediss:// is written for a server without TLS',
    sample: 'REDIS_URL=rediss://localhost:6379',
    make: (world) => startWith(world, { url: world.redis.url.replace('redis:', 'rediss:') }),
    code: 'COATCHECK_REDIS_TLS',
    what: /^Cannot reach Redis at 127\.0\.0\.1:\d+: the port speaks /,
    why: /TLS connection could not be made/,
    fix: /^Use rediss:\/\/ for a TLS port and redis:\/\/ for a plain one/,
  },
  {
    title: 'redis:// is written for a server with TLS',
    sample: 'REDIS_URL=redis://cache.example.com:6380',
    async make(world) {
      const certificates = createCertificates()
      const port = await freePort()
      const server = await startRedisServer({ port: 0, args: tlsArguments(certificates, port, 'no') })
      world.later(async () => {
        await server.stop()
        certificates.remove()
      })
      await startWith(world, { url: `redis://127.0.0.1:${port}` })
    },
    code: 'COATCHECK_REDIS_TLS',
    what: /^Cannot reach Redis at 127\.0\.0\.1:\d+: the port speaks /,
    why: /TLS connection could not be made/,
    fix: /^Use rediss:\/\/ for a TLS port/,
  },
  {
    title: 'The database number does not exist',
    sample: 'REDIS_URL=redis://localhost:6379/99',
    make: (world) => startWith(world, { url: `${world.redis.url}/99` }),
    code: 'COATCHECK_REDIS_DATABASE',
    what: /^Redis at 127\.0\.0\.1:\d+ answered: .*DB index is out of range/,
    why: /database number in the URL does not exist/,
    fix: /^Use a database below the "databases" setting/,
  },
  {
    title: 'Two instances have different keys',
    sample: 'COATCHECK_KEYS=$(npx coatcheck secret) node app.js',
    make: (world) => doctorSays('DOCTOR_KEY_WRONG', world.options({ keys: randomBytes(32).toString('base64') })),
    code: 'DOCTOR_KEY_WRONG',
    what: /No record opens with the configured keys: 1 of 1 session has another key/,
    why: /encrypted with a key that is not in COATCHECK_KEYS/,
    fix: /^Put the key that the application used until now into COATCHECK_KEYS/,
  },
  {
    title: 'The prefix of the command is not the one of the application',
    sample: 'npx coatcheck doctor --prefix other:',
    make: (world) => doctorSays('DOCTOR_PREFIX', world.options({ prefix: 'other:' })),
    code: 'DOCTOR_PREFIX',
    what: /The sessions are under another prefix: none under "other:"/,
    why: /The configured prefix has no sessions, and another prefix has/,
    fix: /^Set REDIS_PREFIX \(or the option prefix\)/,
  },
  {
    title: 'Redis may evict sessions',
    sample: 'redis-cli CONFIG SET maxmemory-policy allkeys-lru',
    async make(world) {
      await world.redis.cli('config', 'set', 'maxmemory-policy', 'allkeys-lru')
      world.later(() => world.redis.cli('config', 'set', 'maxmemory-policy', 'noeviction'))
      return doctorSays('DOCTOR_EVICTION_POLICY', world.options())
    },
    code: 'DOCTOR_EVICTION_POLICY',
    what: /allkeys-lru/,
    why: /deletes keys that were not used lately/,
    fix: /^CONFIG SET maxmemory-policy noeviction/,
  },
]
