/**
 * `npm run demo`: a local identity provider, a protected API and the example application, ready to sign in.
 *
 *   PORT=3000 IDP_PORT=4000 REDIS_URL=redis://localhost:6379 npm run demo -- [--instances 2] [--access-ttl 60]
 *   npm run demo:next is the same with the application for Next.js (--example next).
 *
 * Provider and API live in this process, each instance of the application in one of its own. Without REDIS_URL sessions are
 * kept in the memory of the one instance. On stdout: one line `ready http://localhost:3000`, then who can sign in. Whatever
 * ends this process (Ctrl-C, SIGTERM, SIGKILL, the end of npm) ends all of it: an instance stops when its channel closes.
 */
import { spawn, spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'

const root = resolve(import.meta.dirname, '..')
/** What each instance runs. It says over its channel that it listens, and stops when the channel closes. */
const applications = {
  express: join(root, 'examples/express/server.js'),
  next: join(root, 'scripts/next-instance.mjs'),
}

/** What is told to the user in one line, without a stack. */
class DemoError extends Error {}

/** Everything that must be gone afterwards, in the order in which it was started. */
const running = []
let stopping = false

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => void stop(0))
watchNpm()

try {
  await run(readSettings())
} catch (error) {
  console.error(
    error instanceof DemoError || error?.code?.startsWith?.('COATCHECK_') ? `demo: ${error.message}` : error,
  )
  await stop(1)
}

function readSettings() {
  let values
  try {
    const options = {
      instances: { type: 'string', default: '1' },
      'access-ttl': { type: 'string', default: '60' },
      example: { type: 'string', default: 'express' },
    }
    ;({ values } = parseArgs({ options }))
  } catch (error) {
    throw new DemoError(`${error.message} Known are --instances 2 and --access-ttl 60 (seconds).`)
  }
  if (!Object.hasOwn(applications, values.example)) {
    throw new DemoError(`--example wants express or next, and got "${values.example}".`)
  }
  const settings = {
    example: values.example,
    port: wholeNumber('PORT', process.env.PORT || '3000', 65_535),
    idpPort: wholeNumber('IDP_PORT', process.env.IDP_PORT || '4000', 65_535),
    instances: wholeNumber('--instances', values.instances, 8),
    accessTtl: wholeNumber('--access-ttl', values['access-ttl'], 86_400),
  }
  if (settings.idpPort >= settings.port && settings.idpPort < settings.port + settings.instances) {
    throw new DemoError(`IDP_PORT wants a port of its own, and ${settings.idpPort} is one of the application's.`)
  }
  if (settings.instances > 1 && !process.env.REDIS_URL) {
    throw new DemoError('--instances needs REDIS_URL: sessions in the memory of one process cannot be shared.')
  }
  return settings
}

function wholeNumber(name, text, most) {
  const number = Number(text)
  if (/^\d+$/.test(text) && number >= 1 && number <= most) return number
  throw new DemoError(`${name} must be a whole number from 1 to ${most}; got "${text}".`)
}

async function run({ example, port, idpPort, instances, accessTtl }) {
  build('scripts/build.mjs')
  if (example === 'next') build('scripts/build-next.mjs', 'example')
  const ports = Array.from({ length: instances }, (_, index) => port + index)
  for (const appPort of ports) await assertFree(appPort, 'PORT')
  await assertFree(idpPort, 'IDP_PORT')

  const { devUserList, startDevProvider, startOrdersApi } = await import('coatcheck/dev')
  const provider = await startDevProvider({
    port: idpPort,
    accessTokenTtlSeconds: accessTtl,
    redirectUris: ports.map((appPort) => `http://localhost:${appPort}/auth/callback`),
    onError: (error) => console.error('identity provider:', error),
  })
  running.push(provider)
  const orders = await startOrdersApi({ issuer: provider.issuer })
  running.push(orders)

  const environment = {
    ...process.env,
    ENTRA_ISSUER: provider.issuer,
    AZURE_AD_TENANT_ID: provider.tenantId,
    AZURE_AD_CLIENT_ID: provider.clientId,
    AZURE_AD_CLIENT_SECRET: provider.clientSecret,
    ORDERS_API_URL: orders.url,
    // Sessions of one instance open on the other only with equal keys.
    COATCHECK_KEYS: process.env.COATCHECK_KEYS || `demo:${randomBytes(32).toString('base64')}`,
  }
  await Promise.all(ports.map((appPort) => startInstance(applications[example], appPort, environment)))
  if (stopping) return

  console.log(`ready http://localhost:${port}`)
  for (const appPort of ports.slice(1)) console.log(`also on http://localhost:${appPort}, with the same sessions`)
  console.log(
    `sessions are kept in ${process.env.REDIS_URL ? 'Redis' : 'memory'}; access tokens live for ${accessTtl} s`,
  )
  console.log('who can sign in, with a click and no password:')
  for (const { name, email, note } of devUserList) console.log(`  ${name.padEnd(18)} ${email.padEnd(23)} ${note}`)
  console.log('Ctrl-C ends all of it')
}

function build(script, ...names) {
  const { status } = spawnSync(process.execPath, [join(root, script), ...names], { stdio: ['ignore', 2, 2] })
  if (status !== 0) throw new DemoError('the build failed; its messages are above.')
}

async function assertFree(port, variable) {
  const probe = createServer()
  try {
    await new Promise((done, fail) => probe.once('error', fail).listen(port, '127.0.0.1', done))
  } catch (error) {
    const why = error.code === 'EADDRINUSE' ? 'is in use by another program' : `cannot be used (${error.code})`
    throw new DemoError(`port ${port} ${why}. Choose another one: ${variable}=${port + 100} npm run demo`)
  } finally {
    await new Promise((done) => probe.close(done))
  }
}

/** Resolves when the instance listens. */
async function startInstance(application, port, environment) {
  const env = { ...environment, PORT: String(port), COATCHECK_BASE_URL: `http://localhost:${port}` }
  const child = spawn(process.execPath, [application], { env, stdio: ['ignore', 2, 2, 'ipc'] })
  const exited = new Promise((done) => child.once('exit', done))
  running.push({
    async close() {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM')
      const late = setTimeout(() => child.kill('SIGKILL'), 5000)
      await exited
      clearTimeout(late)
    },
  })
  const started = new Promise((done) => child.once('message', done))
  const early = await Promise.race([started.then(() => false), exited.then(() => true)])
  if (early && !stopping) throw new DemoError(`the application on port ${port} did not start; its message is above.`)
  child.once('exit', () => {
    if (stopping) return
    console.error(`demo: the application on port ${port} has ended.`)
    void stop(1)
  })
}

async function stop(code) {
  if (stopping) return
  stopping = true
  // The applications first: they still talk to provider and API.
  await Promise.all(running.reverse().map((part) => part.close().catch(() => undefined)))
  process.exit(code)
}

/**
 * `npm run` starts a shell that starts us. When npm is killed the shell stays, and nobody tells us: so look at who npm was,
 * and stop when it is gone. Started without npm, nothing is watched: a demo in the background may outlive its shell.
 */
function watchNpm() {
  if (!process.env.npm_lifecycle_event?.startsWith('demo') || process.platform !== 'linux') return
  const shell = process.ppid
  const npm = parentOf(shell)
  setInterval(() => {
    if (process.ppid !== shell || parentOf(shell) !== npm) void stop(1)
  }, 1000).unref()
}

function parentOf(pid) {
  try {
    // After the name, which may hold spaces and parentheses: state, then parent (proc(5)).
    return readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ')[1]
  } catch {
    return null
  }
}
