/** The doctor against prepared faults of Redis: the way to it, credentials, rights, memory, durability. */
import { createServer } from 'node:http'
import { once } from 'node:events'
import { mkdirSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll } from 'vitest'
import { examineHealth } from '../../src/entries/admin.ts'
import type { Options } from '../../src/config/types.ts'
import { systemClock } from '../../src/core/clock.ts'
import { redisStore, type RedisStoreOptions } from '../../src/stores/redis/redis-store.ts'
import { type Certificates, createCertificates, tlsArguments } from '../support/certificates.ts'
import { aclRules, createHealthWorld, HEALTHY_ARGUMENTS, type HealthWorld } from '../support/health-world.ts'
import { type PreparedFault, testFaults } from '../support/prepared-faults.ts'
import { freePort, type RedisServer, startRedisServer } from '../support/redis-server.ts'
import { createSkewedClock } from '../support/skewed-clock.ts'
import { startClusterGroup, until } from '../support/redis-topologies.ts'

let world: HealthWorld
const closing: (() => unknown)[] = []
beforeAll(async () => {
  world = await createHealthWorld()
})
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})
afterAll(() => world.close())

/** Another store than the healthy one, with its credentials unless something else is said. */
function at(over: RedisStoreOptions): Options {
  const { username, password } = world.store
  return world.options({ store: redisStore({ url: world.redis.url, username, password, ...over }) })
}
async function server(...args: readonly string[]): Promise<RedisServer> {
  const started = await startRedisServer({ args: [...HEALTHY_ARGUMENTS, ...args] })
  closing.push(() => started.stop())
  await started.cli('acl', 'setuser', 'coatcheck', ...aclRules(world.password))
  return started
}
async function tlsServer(days: number): Promise<{ readonly url: string; readonly certificates: Certificates }> {
  const certificates = createCertificates({ days })
  closing.push(() => certificates.remove())
  const port = await freePort()
  await server(...tlsArguments(certificates, port, 'no'))
  return { url: `rediss://127.0.0.1:${port}`, certificates }
}
/** A script that writes so many values of another feature. */
function fill(name: string, count: number, bytes: number, life = ''): string {
  const more = life === '' ? '' : `, ${life}`
  return `for i = 1, ${count} do redis.call('SET', '${name}:' .. i, string.rep('x', ${bytes})${more}) end`
}
function movedClock(byMs: number) {
  return { now: () => systemClock.now() + byMs, monotonic: () => systemClock.monotonic() }
}

const wayAndCredentials: readonly PreparedFault[] = [
  {
    fault: 'wrong password',
    prepare: () => ({ options: at({ password: 'not-the-password-at-all' }), secrets: ['not-the-password-at-all'] }),
    finds: ['COATCHECK_REDIS_AUTH'],
    exit: 4,
    says: /WRONGPASS/,
    fix: /REDIS_PASSWORD/,
  },
  {
    fault: 'no password where one is wanted',
    prepare: async () => {
      const { url } = await server('--requirepass', 'something-that-nobody-gave')
      return { options: world.options({ store: redisStore({ url }) }), secrets: ['something-that-nobody-gave'] }
    },
    finds: ['COATCHECK_REDIS_NOAUTH'],
    exit: 4,
    says: /NOAUTH/,
    fix: /Set REDIS_PASSWORD/,
  },
  {
    fault: 'wrong port',
    prepare: async () => ({ options: at({ url: `redis://127.0.0.1:${await freePort()}` }) }),
    finds: ['COATCHECK_REDIS_UNREACHABLE'],
    exit: 3,
    says: /^Cannot reach Redis at 127\.0\.0\.1:\d+: connection refused\.$/,
    fix: /host and port of REDIS_URL/,
  },
  {
    fault: 'a host name that does not exist',
    prepare: () => ({ options: at({ url: 'redis://redis.invalid:6379', allowPlaintext: true }) }),
    finds: ['COATCHECK_REDIS_UNREACHABLE'],
    exit: 3,
    says: /the host name does not resolve|no name server answers/,
    fix: /host and port of REDIS_URL/,
  },
  {
    fault: 'a web server on the port',
    prepare: async () => {
      const web = createServer((_request, response) => response.end('hello'))
      closing.push(() => web.close())
      await once(web.listen(0, '127.0.0.1'), 'listening')
      return { options: at({ url: `redis://127.0.0.1:${(web.address() as AddressInfo).port}` }) }
    },
    finds: ['COATCHECK_REDIS_PROTOCOL'],
    exit: 3,
    says: /not Redis/,
    fix: /port/i,
  },
  {
    fault: 'redis:// for a port that speaks TLS',
    prepare: async () => ({ options: at({ url: (await tlsServer(90)).url.replace('rediss', 'redis') }) }),
    finds: ['COATCHECK_REDIS_TLS'],
    exit: 3,
    says: /speaks TLS, and the URL says redis:/,
    fix: /rediss:/,
  },
  {
    fault: 'rediss:// for a port that does not',
    prepare: () => ({ options: at({ url: world.redis.url.replace('redis', 'rediss') }) }),
    finds: ['COATCHECK_REDIS_TLS'],
    exit: 3,
    says: /without TLS, and the URL says rediss:/,
    fix: /rediss:/,
  },
  {
    fault: 'a certificate that has expired',
    prepare: async () => {
      const { url, certificates } = await tlsServer(-1)
      return { options: at({ url, tls: { ca: certificates.file('ca.pem'), servername: 'redis.test' } }) }
    },
    finds: ['DOCTOR_TLS_EXPIRED'],
    exit: 3,
    says: /CERT_HAS_EXPIRED/,
    fix: /Renew/,
  },
  {
    fault: 'a certificate for another name',
    prepare: async () => {
      const { url, certificates } = await tlsServer(90)
      return { options: at({ url, tls: { ca: certificates.file('ca.pem') } }) }
    },
    finds: ['DOCTOR_TLS_HOST_NAME'],
    exit: 3,
    says: /ALTNAME/,
    fix: /servername/,
  },
  {
    fault: 'a certificate of an authority that nobody named',
    prepare: async () => ({ options: at({ url: (await tlsServer(90)).url, tls: { servername: 'redis.test' } }) }),
    finds: ['DOCTOR_TLS_AUTHORITY'],
    exit: 3,
    says: /UNABLE_TO_|SELF_SIGNED/,
    fix: /REDIS_TLS_CA/,
  },
  {
    fault: 'a certificate that expires in five days',
    prepare: async () => {
      const { url, certificates } = await tlsServer(5)
      return { options: at({ url, tls: { ca: certificates.file('ca.pem'), servername: 'redis.test' } }) }
    },
    finds: ['DOCTOR_TLS_EXPIRES'],
    exit: 0,
    says: /valid for [45] days/,
    fix: /Renew/,
  },
  {
    fault: 'a password on the way to another machine without encryption',
    prepare: () => ({ options: at({ url: world.redis.url.replace('127.0.0.1', '0.0.0.0') }) }),
    finds: ['COATCHECK_CONFIG_INSECURE'],
    exit: 6,
    says: /sends a password to 0\.0\.0\.0 without TLS/,
    fix: /rediss:.*REDIS_ALLOW_PLAINTEXT/,
  },
  {
    fault: 'no encryption on the way to another machine',
    // Every address of this machine, and so one that is not called loopback.
    prepare: () => ({ options: at({ url: world.redis.url.replace('127.0.0.1', '0.0.0.0'), allowPlaintext: true }) }),
    finds: ['DOCTOR_TLS_MISSING'],
    exit: 0,
    says: /another machine/,
    fix: /rediss:/,
  },
  {
    fault: 'a database that is not there',
    prepare: async () => {
      await world.redis.cli('acl', 'setuser', 'coatcheck', '+select')
      return {
        options: at({ url: `${world.redis.url}/99` }),
        undo: () => world.redis.cli('acl', 'setuser', 'coatcheck', '-select'),
      }
    },
    finds: ['COATCHECK_REDIS_DATABASE'],
    exit: 4,
    says: /out of range/,
    fix: /database/i,
  },
  {
    fault: 'a password in the URL that is not escaped',
    prepare: () => ({
      options: () =>
        at({ url: 'redis://:p@ss-not-escaped#1@127.0.0.1:6379', username: undefined, password: undefined }),
      secrets: ['p@ss-not-escaped', 'ss-not-escaped#1'],
    }),
    finds: ['DOCTOR_URL_UNESCAPED'],
    exit: 6,
    says: /has a # in it/,
    fix: /encodeURIComponent/,
  },
  {
    fault: 'a user that may do everything',
    prepare: () => ({ options: world.options({ store: redisStore({ url: world.redis.url }) }) }),
    finds: ['DOCTOR_ACL_WIDE'],
    exit: 0,
    says: /user "default" may run FLUSHALL, KEYS, .* and read all keys/,
    fix: /docs\/redis-acl\.md/,
  },
  {
    fault: 'the same, where no dry run is allowed',
    prepare: async () => {
      const wide = await server()
      await wide.cli('acl', 'setuser', 'coatcheck', '+@all', '-acl|dryrun', '~*')
      return { options: at({ url: wide.url }) }
    },
    finds: ['DOCTOR_ACL_WIDE'],
    exit: 0,
    says: /user "coatcheck" has allcommands and allkeys/,
    fix: /docs\/redis-acl\.md/,
  },
  {
    fault: 'a user that may do too little',
    prepare: async () => {
      const narrow = await server()
      await narrow.cli(
        'acl',
        'setuser',
        'coatcheck',
        '-zadd',
        '-publish',
        'resetkeys',
        '~user:*',
        '~signin:*',
        '~canary:*',
      )
      return { options: at({ url: narrow.url }) }
    },
    finds: ['DOCTOR_ACL_NARROW'],
    exit: 4,
    says: /needs \+zadd \+publish ~provider:\* ~app:tokens:\*$/,
    fix: /ACL SETUSER/,
  },
]

const keeping: readonly PreparedFault[] = [
  {
    fault: 'allkeys-lru',
    prepare: async () => ({ options: at({ url: (await server('--maxmemory-policy', 'allkeys-lru')).url }) }),
    finds: ['DOCTOR_EVICTION_POLICY'],
    exit: 1,
    says: /^allkeys-lru$/,
    fix: /noeviction/,
  },
  {
    fault: 'volatile-ttl',
    prepare: async () => ({ options: at({ url: (await server('--maxmemory-policy', 'volatile-ttl')).url }) }),
    finds: ['DOCTOR_EVICTION_VOLATILE'],
    exit: 0,
    says: /^volatile-ttl$/,
    fix: /noeviction/,
  },
  {
    fault: 'eviction that has begun, and took canaries first',
    prepare: async () => {
      const evicting = await server('--maxmemory-policy', 'volatile-ttl')
      const options = at({ url: evicting.url })
      await examineHealth(() => options, { canaries: true, offline: true })
      // Of another feature, with a longer life than any canary.
      await evicting.cli('eval', fill('cache', 20, 100_000, "'EX', 9999999"), '0')
      const used = Number(/used_memory:(\d+)/.exec(await evicting.cli('info', 'memory'))?.[1])
      await evicting.cli('config', 'set', 'maxmemory', String(used - 1_000_000))
      const canaries = ['signin', 'ended', 'session', 'generation', 'tokens'].map((name) => `canary:${name}:0`)
      await until(async () => Number(await evicting.cli('exists', ...canaries)) < canaries.length)
      await evicting.cli('config', 'set', 'maxmemory', '256mb')
      return { options }
    },
    finds: ['DOCTOR_EVICTION_VOLATILE', 'DOCTOR_EVICTION_BEGUN', 'DOCTOR_CANARY_LOST'],
    exit: 1,
    says: /^volatile-ttl$/,
    fix: /noeviction/,
  },
  {
    fault: 'eviction until the policy was changed',
    prepare: async () => {
      const evicting = await server('--maxmemory-policy', 'allkeys-lru')
      await evicting.cli('eval', fill('cache', 20, 100_000, "'EX', 9999999"), '0')
      const used = Number(/used_memory:(\d+)/.exec(await evicting.cli('info', 'memory'))?.[1])
      await evicting.cli('config', 'set', 'maxmemory', String(used - 1_000_000))
      await until(async () => !(await evicting.cli('info', 'stats')).includes('evicted_keys:0'))
      await evicting.cli('config', 'set', 'maxmemory', '256mb', 'maxmemory-policy', 'noeviction')
      return { options: at({ url: evicting.url }) }
    },
    finds: ['DOCTOR_EVICTION_PAST'],
    exit: 0,
    says: /^[\d,]+ keys in the .* since it was started$/,
    fix: /CONFIG RESETSTAT/,
  },
  {
    fault: 'lifetimes that are not kept: the clock of the server stands still',
    prepare: async () => {
      const clock = createSkewedClock()
      const stopped = await startRedisServer({ args: HEALTHY_ARGUMENTS, env: clock.stopped() })
      closing.push(async () => {
        await stopped.stop()
        clock.remove()
      })
      await stopped.cli('acl', 'setuser', 'coatcheck', ...aclRules(world.password))
      return { options: at({ url: stopped.url }) }
    },
    finds: ['DOCTOR_TTL_IGNORED'],
    exit: 1,
    says: /is still there after/,
    fix: /Redis or Valkey itself/,
  },
  {
    fault: 'a canary that is gone',
    prepare: async () => {
      const lossy = await server()
      const options = at({ url: lossy.url })
      await examineHealth(() => options, { canaries: true, offline: true })
      await lossy.cli('del', 'canary:session:0')
      return { options }
    },
    finds: ['DOCTOR_CANARY_LOST'],
    exit: 1,
    says: /^1 of 5: canary:session:0$/,
    fix: /--canaries/,
  },
  {
    fault: 'no limit of memory',
    prepare: async () => ({ options: at({ url: (await server('--maxmemory', '0')).url }) }),
    finds: ['DOCTOR_MEMORY_UNLIMITED'],
    exit: 0,
    says: /maxmemory is 0/,
    fix: /maxmemory/,
  },
  {
    fault: 'full memory, and writes that it refused',
    prepare: async () => {
      const full = await server()
      await full.cli('config', 'set', 'maxmemory', '1')
      await full.cli('set', 'x', 'y')
      return { options: at({ url: full.url }) }
    },
    finds: ['DOCTOR_MEMORY_FULL', 'DOCTOR_WRITES_REFUSED'],
    exit: 1,
    says: /\d % of/,
    fix: /Raise maxmemory/,
  },
  {
    fault: 'memory that will be full tomorrow',
    prepare: async () => {
      const growing = await server()
      const options = at({ url: growing.url })
      await examineHealth(() => options, { canaries: true, offline: true })
      await growing.cli('eval', fill('cache', 4000, 10_000), '0')
      // Some 40 of 256 MB within two hours. The server's clock stays behind.
      return { options, clock: movedClock(2 * 3_600_000) }
    },
    finds: ['DOCTOR_CLOCK_WRONG', 'DOCTOR_MEMORY_LOW'],
    exit: 1,
    says: /behind/,
    fix: /clock/,
  },
  {
    fault: 'a replica',
    prepare: async () => {
      const primary = await server('--repl-diskless-sync-delay', '0')
      const replica = await server('--replicaof', '127.0.0.1', String(primary.port))
      await until(async () => (await replica.cli('info', 'replication')).includes('master_link_status:up'))
      return { options: at({ url: replica.url }) }
    },
    finds: ['COATCHECK_REDIS_READONLY'],
    exit: 4,
    says: /role:slave/,
    fix: /primary/,
  },
  {
    fault: 'durability without the replicas for it',
    prepare: async () => {
      const alone = await server()
      await alone.cli('acl', 'setuser', 'coatcheck', '+wait')
      return { options: at({ url: alone.url, durability: { replicas: 2 } }) }
    },
    finds: ['DOCTOR_REPLICAS_MISSING'],
    exit: 1,
    says: /0 replicas online, durability wants 2/,
    fix: /durability\.replicas/,
  },
  {
    fault: 'nothing on disk and no replica',
    prepare: async () => ({ options: at({ url: (await server('--appendonly', 'no')).url }) }),
    finds: ['DOCTOR_NO_PERSISTENCE'],
    exit: 0,
    says: /appendonly no, no replica/,
    fix: /appendonly yes/,
  },
  {
    fault: 'a snapshot that fails',
    prepare: async () => {
      const failing = await server()
      // Where the file should be stands a folder.
      mkdirSync(join(failing.dir, 'dump.rdb'))
      await failing.cli('bgsave')
      await until(async () => (await failing.cli('info', 'persistence')).includes('rdb_last_bgsave_status:err'))
      return { options: at({ url: failing.url }) }
    },
    finds: ['DOCTOR_SAVE_FAILED'],
    exit: 1,
    says: /rdb_last_bgsave_status is err/,
    fix: /disk/,
  },
  {
    fault: 'a clock five seconds off',
    prepare: () => ({ options: world.options(), clock: movedClock(5000) }),
    finds: ['DOCTOR_CLOCK_SKEW'],
    exit: 0,
    says: /5\.\d s behind|4\.9 s behind/,
    fix: /time servers/,
  },
  {
    fault: 'a node of a cluster as one server',
    prepare: async () => {
      const group = await startClusterGroup({ replicas: 0, args: HEALTHY_ARGUMENTS })
      closing.push(() => group.stop())
      for (const one of group.servers) await one.cli('acl', 'setuser', 'coatcheck', ...aclRules(world.password))
      return { options: at({ url: group.url }) }
    },
    finds: ['DOCTOR_CLUSTER_AS_SINGLE'],
    exit: 1,
    says: /cluster_enabled/,
    fix: /REDIS_CLUSTER=true/,
  },
  {
    fault: 'a near cache that the server does not allow',
    prepare: () => ({ options: at({ nearCache: {} }) }),
    finds: ['DOCTOR_ACL_NARROW', 'DOCTOR_TRACKING_REFUSED'],
    exit: 4,
    says: /needs \+client\|tracking$/,
    fix: /ACL SETUSER/,
  },
]

testFaults(() => world, wayAndCredentials)
testFaults(() => world, keeping)
