/**
 * Stands in for the IAM check of ElastiCache in front of a real Redis: it verifies the presigned request that a connection
 * presents as its password (AWS Signature Version 4, computed here with node:crypto alone) and makes it the password of the user.
 */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import type { RedisServer } from '../support/redis-server.ts'

export interface IamAccount {
  readonly cache: string
  readonly user: string
  readonly region: string
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken: string
}

export interface IamCheck {
  readonly url: string
  /** What was wrong with the token of each connection so far; `null` when it was accepted. */
  readonly verdicts: (string | null)[]
  close(): void
}

const AUTH = /\r\nAUTH\r\n\$\d+\r\n([^\r]*)\r\n\$\d+\r\n([^\r]*)\r\n/i
const EMPTY_BODY = createHash('sha256').digest('hex')
const LONGEST_SECONDS = 900

export async function startIamCheck(redis: RedisServer, account: IamAccount): Promise<IamCheck> {
  const verdicts: (string | null)[] = []
  const sockets = new Set<Socket>()
  const admit = async (user: string, token: string): Promise<void> => {
    const problem = user === account.user ? tokenProblem(token, account) : `the user is ${user}`
    verdicts.push(problem)
    // A token of an earlier connection is a password no longer.
    const password = problem === null ? [`>${token}`] : []
    await redis.cli('acl', 'setuser', account.user, 'on', 'resetpass', ...password, '~*', '&*', '+@all')
  }
  const server = createServer((client) => {
    const upstream = connect(redis.port, '127.0.0.1')
    for (const [one, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(one)
      one.on('error', () => other.destroy()).on('close', () => other.destroy())
    }
    let received = ''
    const untilAuth = (chunk: Buffer): void => {
      received += chunk.toString('latin1')
      const [, user, token] = AUTH.exec(received) ?? []
      if (user === undefined || token === undefined) return
      client.off('data', untilAuth).pause()
      const forward = (): void => {
        upstream.write(received, 'latin1')
        client.pipe(upstream).pipe(client)
      }
      admit(user, token).then(forward, () => client.destroy())
    }
    client.on('data', untilAuth)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `redis://127.0.0.1:${(server.address() as AddressInfo).port}`,
    verdicts,
    close() {
      server.close()
      for (const socket of sockets) socket.destroy()
    },
  }
}

/** @returns why ElastiCache would refuse the token, or `null` */
function tokenProblem(token: string, account: IamAccount): string | null {
  const [host, search = ''] = token.split('/?')
  if (host !== account.cache) return `the cache is ${host ?? ''}`
  const pairs = search.split('&').map((pair) => pair.split('=') as [string, string])
  const given = Object.fromEntries(pairs.map(([name, value]) => [name, decodeURIComponent(value)]))
  const date = given['X-Amz-Date'] ?? ''
  const scope = `${date.slice(0, 8)}/${account.region}/elasticache/aws4_request`
  const expected = {
    Action: 'connect',
    User: account.user,
    'X-Amz-Algorithm': 'AWS4-HMAC-SHA256',
    'X-Amz-Credential': `${account.accessKeyId}/${scope}`,
    'X-Amz-Security-Token': account.sessionToken,
    'X-Amz-SignedHeaders': 'host',
  }
  for (const [name, value] of Object.entries(expected)) if (given[name] !== value) return `${name} is ${given[name]}`

  const ageSeconds =
    (Date.now() - Date.parse(date.replace(/^(....)(..)(..)T(..)(..)(..)Z$/, '$1-$2-$3T$4:$5:$6Z'))) / 1000
  const lifeSeconds = Number(given['X-Amz-Expires'])
  if (!(lifeSeconds <= LONGEST_SECONDS && ageSeconds < lifeSeconds))
    return `its age is ${ageSeconds} s of ${lifeSeconds}`

  const query = pairs.filter(([name]) => name !== 'X-Amz-Signature').map((pair) => pair.join('='))
  const request = ['GET', '/', query.sort().join('&'), `host:${account.cache}`, '', 'host', EMPTY_BODY].join('\n')
  const digest = createHash('sha256').update(request).digest('hex')
  const key = scope.split('/').reduce<string | Buffer>(hmac, `AWS4${account.secretAccessKey}`)
  const signature = hmac(key, ['AWS4-HMAC-SHA256', date, scope, digest].join('\n'))
  const presented = Buffer.from(given['X-Amz-Signature'] ?? '', 'hex')
  const isRight = presented.length === signature.length && timingSafeEqual(presented, signature)
  return isRight ? null : 'the signature is another'
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest()
}
