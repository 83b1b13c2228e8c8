/** The whole keyspace of a server as comparable data: every database, key, type, value and time to live. */
import { createClient, RESP_TYPES } from 'redis'

export interface KeyState {
  readonly database: number
  readonly key: string
  readonly type: string
  readonly value: unknown
  /** Remaining ms; -1 without a limit. */
  readonly ttlMs: number
  /** Unix ms of the end; -1 without a limit. */
  readonly expiresAtMs: number
}

export interface Keyspace {
  read(): Promise<KeyState[]>
  flush(): Promise<void>
  close(): void
}

// Two runs look at a key at different moments after they wrote it.
const TOLERANCE_MS = 5_000
const GENERATED_ID = /^1[6-9]\d{11}-\d+$/

export async function openKeyspace(url: string): Promise<Keyspace> {
  const client = createClient({ url, RESP: 2, commandOptions: { timeout: 60_000 } })
  client.on('error', () => undefined)
  await client.connect()
  const binary = client.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer })
  const ask = (...args: (string | Buffer)[]): Promise<unknown> => binary.sendCommand(args)
  return {
    async read() {
      const states: KeyState[] = []
      const used = [...(await client.info('keyspace')).matchAll(/^db(\d+):/gm)]
      for (const [, number = '0'] of used) {
        await ask('SELECT', number)
        for (const key of (await ask('KEYS', '*')) as Buffer[]) {
          const type = String(await ask('TYPE', key))
          states.push({
            database: Number(number),
            key: textOf(key),
            type,
            value: await valueOf(ask, type, key),
            ttlMs: Number(await ask('PTTL', key)),
            expiresAtMs: Number(await ask('PEXPIRETIME', key)),
          })
        }
      }
      return states.sort((a, b) => a.database - b.database || (a.key < b.key ? -1 : 1))
    },
    async flush() {
      await ask('FLUSHALL')
    },
    close: () => client.destroy(),
  }
}

/** How the second run left the keyspace otherwise than the first one, in sentences; empty if alike. */
export function keyspaceDifferences(before: readonly KeyState[], after: readonly KeyState[]): string[] {
  const nameOf = (state: KeyState): string => `db${state.database} ${state.key}`
  const found = new Map(after.map((state) => [nameOf(state), state]))
  const differences: string[] = []
  for (const one of before) {
    const other = found.get(nameOf(one))
    found.delete(nameOf(one))
    if (!other) differences.push(`${nameOf(one)} is missing`)
    else if (one.type !== other.type) differences.push(`${nameOf(one)}: ${one.type} became ${other.type}`)
    else if (JSON.stringify(one.value) !== JSON.stringify(other.value))
      differences.push(`${nameOf(one)}: ${JSON.stringify(one.value)} became ${JSON.stringify(other.value)}`)
    else if (!livesAsLong(one, other)) differences.push(`${nameOf(one)}: TTL ${one.ttlMs} ms became ${other.ttlMs} ms`)
  }
  return [...differences, ...[...found.keys()].map((name) => `${name} is new`)]
}

function livesAsLong(one: KeyState, other: KeyState): boolean {
  if (one.ttlMs < 0 || other.ttlMs < 0) return one.ttlMs === other.ttlMs
  return one.expiresAtMs === other.expiresAtMs || Math.abs(one.ttlMs - other.ttlMs) < TOLERANCE_MS
}

async function valueOf(
  ask: (...args: (string | Buffer)[]) => Promise<unknown>,
  type: string,
  key: Buffer,
): Promise<unknown> {
  switch (type) {
    case 'string':
      return plain(await ask('GET', key))
    case 'list':
      return plain(await ask('LRANGE', key, '0', '-1'))
    case 'set':
      return (plain(await ask('SMEMBERS', key)) as string[]).sort()
    case 'zset':
      return plain(await ask('ZRANGE', key, '0', '-1', 'WITHSCORES'))
    case 'hash':
      return plain(await ask('HGETALL', key))
    case 'stream':
      return plain([await ask('XRANGE', key, '-', '+'), (await ask('XINFO', 'GROUPS', key)) as unknown[][]])
    default:
      throw new Error(`a key of the unknown type ${type}`)
  }
}

function plain(reply: unknown): unknown {
  if (Buffer.isBuffer(reply)) return textOf(reply)
  return Array.isArray(reply) ? reply.map(plain) : reply
}

function textOf(bytes: Buffer): string {
  const text = bytes.toString('utf8')
  if (GENERATED_ID.test(text)) return '<generated id>'
  return Buffer.from(text, 'utf8').equals(bytes) ? text : `0x${bytes.toString('hex')}`
}
