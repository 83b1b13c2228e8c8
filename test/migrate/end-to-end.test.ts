/** One program, run with ioredis, moved by the codemod, and run with node-redis: it prints the same and leaves the same keys. */
import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { migrateIoredis } from '../../src/migrate/ioredis/migrate.ts'
import { startRedisServer, type RedisServer } from '../support/redis-server.ts'

const run = promisify(execFile)
const root = resolve(import.meta.dirname, '../..')

const PROGRAM = `import Redis from 'ioredis';

const redis = new Redis(process.env.REDIS_URL ?? '', { db: 3, connectionName: 'mover' });
const results: unknown[] = [];
const missing: string | undefined = process.env.NOT_THERE;
const ids = [1, 2, 3];

results.push(await redis.set('a', 1), await redis.set('b', 'two', 'EX', 100, 'NX'), await redis.set('b', 'x', 'NX'));
results.push(await redis.get('a'), await redis.get('none'), await redis.mget('a', 'b', 'none'), await redis.del('a', 'none'));
results.push(await redis.sadd('s', 1, 2, true as unknown as string), (await redis.smembers('s')).sort(), await redis.sismember('s', 1));
results.push(await redis.hset('h', { name: 'Ada', age: 36, none: missing }), await redis.hset('h', 'x', missing!));
results.push(await redis.hgetall('h'), await redis.hgetall('none'), await redis.hmget('h', 'name', 'none'), await redis.hget('h', 'age'));
results.push(Object.getPrototypeOf(await redis.hgetall('h')) === Object.prototype);
results.push(await redis.zadd('z', 1, 'one', 2.5, 'two'), await redis.zadd('z', 'INCR', 1, 'one'), await redis.zscore('z', 'two'));
results.push(await redis.zrange('z', 0, -1, 'WITHSCORES'), await redis.zrevrangebyscore('z', '+inf', '-inf', 'LIMIT', 0, 1));
results.push(await redis.rpush('l', ...ids), await redis.lrange('l', 0, -1), await redis.blpop('l', 1), await redis.lpop('l', 2));
results.push(await redis.incrbyfloat('f', 0.5), await redis.expire('f', 100), await redis.ttl('none'), await redis.type('f'));
results.push(await redis.scan('0', 'MATCH', 'z*'), await redis.hscan('h', 0), await redis.exists('h', 'z', 'none'));
results.push((await redis.getBuffer('b'))?.toString('hex'), await redis.config('GET', 'maxmemory-policy'));
results.push(await redis.xadd('x', '1-1', 'field', 'value'), await redis.xrange('x', '-', '+'), await redis.xread('COUNT', 1, 'STREAMS', 'x', '0'));
results.push(await redis.eval('return {KEYS[1], ARGV[1], 3}', 1, 'k', 'v'), await redis.call('ECHO', 'hi'));
results.push(await redis.mset({ m1: 1, m2: 'x' }), await redis.mset(new Map([['m3', 'y']])), await redis.mset('m4', 5));

const pipeline = redis.pipeline();
for (const id of ids) pipeline.set(\`p:\${id}\`, id).incr('z').get(\`p:\${id}\`);
results.push((await pipeline.exec())?.map(([error, value]) => [error?.message ?? null, value]));
results.push(await redis.multi().hset('t', 'a', 1).hgetall('t').getBuffer('b').exec());
const other = redis.duplicate();
await redis.watch('b');
await other.set('b', 'changed');
results.push(await redis.multi().set('b', 'lost').exec());
results.push(await redis.multi([['incr', 'n'], ['incr', 'n']]).exec());
results.push(await redis.multi().set('b').exec().catch((error: Error) => error.message));

redis.defineCommand('pair', { numberOfKeys: 1, lua: 'return {KEYS[1], ARGV[1]}' });
results.push(await (redis as Redis & { pair(key: string, value: string): Promise<unknown> }).pair('k', 'v'));

const received: unknown[] = [];
const got = new Promise<void>((done) => {
  other.on('message', (channel, message) => received.push(['message', channel, message]));
  other.on('pmessage', (pattern, channel, message) => {
    received.push(['pmessage', pattern, channel, message]);
    done();
  });
});
results.push(await other.subscribe('news'), await other.psubscribe('n*', 'o*'));
results.push(await redis.publish('news', 'hello'));
await got;
results.push(received, await other.unsubscribe('news'), await other.punsubscribe());

const seen: string[] = [];
for await (const keys of redis.scanStream({ match: 'p:*', count: 2 })) seen.push(...keys);
results.push(seen.sort());
await new Promise<void>((done) => {
  redis.get('b', (error, text) => {
    results.push(['callback', error, text]);
    done();
  });
});
results.push(await redis.lpush('b', 'x').catch((error: Error) => error.message));
results.push(redis.status, await redis.quit());
other.disconnect();
console.log(JSON.stringify(results, null, 1));
`

let server: RedisServer
beforeAll(async () => {
  server = await startRedisServer()
})
afterAll(() => server.stop())

/** Keys with their values and whether they expire. */
async function keyspace(): Promise<string[]> {
  const keys = (await server.cli('-n', '3', 'keys', '*')).split('\n').sort()
  return Promise.all(
    keys.map(
      async (key) =>
        `${key} ${await server.cli('-n', '3', 'dump', key)} ${Number(await server.cli('-n', '3', 'ttl', key)) > 0}`,
    ),
  )
}

async function runProgram(cwd: string): Promise<{ output: string; keys: string[] }> {
  await server.cli('flushall')
  const { stdout } = await run(
    process.execPath,
    [join(root, 'node_modules/tsx/dist/cli.mjs'), join(cwd, 'program.mts')],
    {
      env: { ...process.env, REDIS_URL: server.url },
      timeout: 60_000,
    },
  )
  return { output: stdout, keys: await keyspace() }
}

describe.each([
  { ioredis: 'ioredis', target: 5 as const, redis: 'redis5' },
  { ioredis: 'ioredis', target: 6 as const, redis: 'redis' },
  { ioredis: 'ioredis6', target: 6 as const, redis: 'redis' },
])('from $ioredis to node-redis $target', ({ ioredis, target, redis }) => {
  test('a program prints the same and leaves the same keys', async () => {
    mkdirSync(join(root, '.created'), { recursive: true })
    const cwd = mkdtempSync(join(root, '.created/codemod-'))
    mkdirSync(join(cwd, 'node_modules/@types'), { recursive: true })
    for (const [name, at] of [
      ['ioredis', ioredis],
      ['redis', redis],
      ['@types/node', '@types/node'],
    ] as const) {
      symlinkSync(join(root, 'node_modules', at), join(cwd, 'node_modules', name))
    }
    writeFileSync(
      join(cwd, 'package.json'),
      JSON.stringify({ type: 'module', dependencies: { ioredis: '^5.0.0' } }, null, 2),
    )
    const compilerOptions = {
      strict: true,
      noEmit: true,
      module: 'nodenext',
      target: 'es2022',
      skipLibCheck: true,
      types: ['node'],
    }
    writeFileSync(join(cwd, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['*.mts', '*.ts'] }))
    writeFileSync(join(cwd, 'program.mts'), PROGRAM)
    try {
      const before = await runProgram(cwd)
      const report = await migrateIoredis({ cwd, paths: [], target, mode: 'write' })
      expect(report.sites.filter(({ state }) => state === 'marked')).toEqual([])
      expect(await runProgram(cwd)).toEqual(before)
      await run(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', cwd]).catch(
        (error: unknown) => {
          throw new Error((error as { stdout: string }).stdout)
        },
      )
      const again = await migrateIoredis({ cwd, paths: [], target, mode: 'check' })
      expect(again.marksLeft).toBe(0)
      expect(again.files.filter((file) => file.before !== file.after)).toEqual([])
    } finally {
      rmSync(cwd, { recursive: true, force: true })
    }
  })
})
