/**
 * The programs of docs/deploy.md and docs/redis.md that take the password of Redis from a managed identity of Azure. The service is
 * a stand-in that speaks as App Service does (`IDENTITY_ENDPOINT`); `@redis/entraid`, MSAL and the Redis server are the real ones.
 */
import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type RedisServer, startRedisServer } from '../support/redis-server.ts'
import { PATIENT } from '../lab/limits.ts'
import { applicationEnvironment } from './application-environment.ts'
import { blocksOf, root } from './blocks.ts'

const OBJECT_ID = '6b0f0b4e-0000-4000-8000-00000000c0a7'
const CLIENT_ID = '22222222-2222-2222-2222-222222222222'
const HEADER = randomBytes(16).toString('hex')
// Within the package, so that its name leads to itself.
const folder = join(root, 'test-results/managed-identity')
const encoded = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
const token = `${encoded({ alg: 'none' })}.${encoded({ oid: OBJECT_ID })}.${randomBytes(32).toString('base64url')}`

let redis: RedisServer
const asked: URL[] = []
const identity = createServer((request, response) => {
  const url = new URL(request.url ?? '', 'http://127.0.0.1')
  asked.push(url)
  if (request.headers['x-identity-header'] !== HEADER) return void response.writeHead(401).end()
  const expires = Math.floor(Date.now() / 1000) + 3600
  const answer = { access_token: token, expires_on: String(expires), resource: url.searchParams.get('resource') }
  response.setHeader('content-type', 'application/json')
  response.end(JSON.stringify({ ...answer, token_type: 'Bearer', client_id: CLIENT_ID }))
})

beforeAll(async () => {
  redis = await startRedisServer()
  await redis.cli('acl', 'setuser', OBJECT_ID, 'on', `>${token}`, '~*', '&*', '+@all')
  await redis.cli('acl', 'setuser', 'default', 'off')
  identity.listen(0, '127.0.0.1')
  await once(identity, 'listening')
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
})
afterAll(async () => {
  identity.closeAllConnections()
  identity.close()
  await redis.stop()
})

it.each(['docs/deploy.md', 'docs/redis.md'])('%s: the token of the identity is the password of Redis', async (page) => {
  const block = blocksOf(page).find(({ code }) => code.includes('createForSystemAssignedManagedIdentity'))
  const file = join(folder, `${page.replace(/\W/g, '-')}.mjs`)
  writeFileSync(file, `${importsLackingIn(block?.code ?? '')}${ofThisServer(block?.code ?? '')}`)
  const script = `const { auth } = await import(${JSON.stringify(file)})
    await auth.ready()
    const { ticket } = await auth.sessions.create({ data: { visits: 1 } })
    console.log((await auth.sessions.find(ticket)).session.data.visits)
    await auth.close()`
  asked.length = 0
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script], {
    cwd: folder,
    env: environment(),
  })
  expect(stdout).toBe('1\n')
  expect(asked.map(({ searchParams }) => searchParams.get('resource'))).toContain('https://redis.azure.com')
})

/** The page's own address is in Azure. A busy machine may need longer for a connection than a server in a data center. */
function ofThisServer(code: string): string {
  const options = JSON.stringify(PATIENT).slice(1, -1)
  return code
    .replace('rediss://name.region.redis.azure.net:10000', redis.url)
    .replace('credentialsProvider })', `credentialsProvider, ${options} })`)
}

/** A fragment leaves out what its page has imported before. */
function importsLackingIn(code: string): string {
  const imports = { coatcheck: 'coatcheck', redisStore: 'coatcheck/redis' }
  const lacking = Object.entries(imports).filter(([, from]) => !code.includes(`from '${from}'`))
  return lacking.map(([name, from]) => `import { ${name} } from '${from}'\n`).join('')
}

function environment(): NodeJS.ProcessEnv {
  const { port } = identity.address() as AddressInfo
  return {
    ...applicationEnvironment(redis.url),
    IDENTITY_ENDPOINT: `http://127.0.0.1:${port}/msi/token`,
    IDENTITY_HEADER: HEADER,
    AZURE_CLIENT_ID: CLIENT_ID,
    AZURE_AD_TENANT_ID: CLIENT_ID,
    AZURE_AD_CLIENT_ID: CLIENT_ID,
    AZURE_AD_CLIENT_SECRET: 'secret',
  }
}
