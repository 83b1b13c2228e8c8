/**
 * The program of docs/deploy.md that signs in to ElastiCache by IAM. The check of the token is a stand-in (`iam-check.ts`); the
 * packages of AWS that sign it and the Redis server are the real ones.
 */
import { execFile } from 'node:child_process'
import { randomBytes, randomUUID } from 'node:crypto'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { PATIENT } from '../lab/limits.ts'
import { type RedisServer, startRedisServer } from '../support/redis-server.ts'
import { applicationEnvironment } from './application-environment.ts'
import { blocksOf, root } from './blocks.ts'
import { type IamCheck, startIamCheck } from './iam-check.ts'

const ACCOUNT = {
  ...{ cache: 'orders-sessions', user: 'orders', region: 'eu-west-1' },
  accessKeyId: `ASIA${randomBytes(8).toString('hex').toUpperCase()}`,
  secretAccessKey: randomBytes(30).toString('base64'),
  sessionToken: randomBytes(120).toString('base64'),
}
// Within the package, so that its name leads to itself.
const folder = join(root, 'test-results/elasticache-iam')
const program = join(folder, 'auth-iam.js')

let redis: RedisServer
let check: IamCheck

beforeAll(async () => {
  redis = await startRedisServer()
  check = await startIamCheck(redis, ACCOUNT)
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
  const code = blocksOf('docs/deploy.md').find(({ file }) => file === 'auth-iam.js')?.code ?? ''
  // A busy machine may need longer for a connection than a server in a data center.
  const options = JSON.stringify(PATIENT).slice(1, -1)
  writeFileSync(program, code.replace('{ credentialsProvider }', `{ credentialsProvider, ${options} }`))
})
beforeEach(() => {
  check.verdicts.length = 0
})
afterAll(async () => {
  check.close()
  await redis.stop()
})

it('signs a token for each connection, also for the one after the server has ended the first', async () => {
  const output = await run(`
    await auth.ready()
    const { ticket } = await auth.sessions.create({ data: { visits: 1 } })
    const reconnected = new Promise((resolve) => {
      let isLost = false
      auth.events.on('redis.status', ({ status }) => {
        if (status === 'reconnecting') isLost = true
        else if (isLost && status === 'ready') resolve()
      })
    })
    execFileSync('redis-cli', ['-p', '${redis.port}', 'client', 'kill', 'user', '${ACCOUNT.user}'])
    await reconnected
    console.log((await auth.sessions.find(ticket)).session.data.visits)`)
  expect(output).toBe('1\n')
  expect(check.verdicts).toEqual([null, null])
})

it('is refused when another secret has signed the token', async () => {
  const failed = run('await auth.ready()', { AWS_SECRET_ACCESS_KEY: 'another' })
  await expect(failed).rejects.toThrow('COATCHECK_REDIS_AUTH')
  expect(new Set(check.verdicts)).toEqual(new Set(['the signature is another']))
})

/** Runs statements with the `auth` of the program. @returns what they print */
async function run(statements: string, env: NodeJS.ProcessEnv = {}): Promise<string> {
  const script = `import { execFileSync } from 'node:child_process'
    import { auth } from ${JSON.stringify(program)}
    ${statements}
    await auth.close()`
  const options = { cwd: folder, env: { ...environment(), ...env } }
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script], options)
  return stdout
}

function environment(): NodeJS.ProcessEnv {
  return {
    ...applicationEnvironment(check.url),
    AWS_ACCESS_KEY_ID: ACCOUNT.accessKeyId,
    AWS_SECRET_ACCESS_KEY: ACCOUNT.secretAccessKey,
    AWS_SESSION_TOKEN: ACCOUNT.sessionToken,
    AZURE_AD_TENANT_ID: randomUUID(),
    AZURE_AD_CLIENT_ID: randomUUID(),
    AZURE_AD_CLIENT_SECRET: 'secret',
  }
}
