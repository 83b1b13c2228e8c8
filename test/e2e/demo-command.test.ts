/**
 * `npm run demo` as a command: what it prints, what it refuses, that nothing stays behind, and two instances on one Redis.
 */
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { startRedisServer } from '../support/redis-server.ts'
import { launchBrowser } from './browser.ts'
import { startDemo } from './demo-process.ts'

const cleanups: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

async function start(...options: Parameters<typeof startDemo>): ReturnType<typeof startDemo> {
  const demo = await startDemo(...options)
  cleanups.push(() => demo.stop())
  return demo
}

const answers = (url: string): Promise<boolean> =>
  fetch(url, { signal: AbortSignal.timeout(1000) }).then(
    () => true,
    () => false,
  )

describe('npm run demo', () => {
  it('prints one line that says ready, and who can sign in', async () => {
    const demo = await start()
    const { stdout } = demo.output()
    expect(stdout.match(/^ready .*$/gm)).toEqual([`ready ${demo.url}`])
    await expect.poll(() => demo.output().stdout).toContain('barbara@example.test')
    expect((await fetch(`${demo.url}/healthz`)).status).toBe(200)
  })

  it.each(['SIGINT', 'SIGTERM', 'SIGKILL'] as const)('leaves nothing behind after %s', async (signal) => {
    const demo = await start()
    expect(await answers(`${demo.url}/healthz`)).toBe(true)
    await demo.stop(signal)
    await expect.poll(() => answers(`${demo.url}/healthz`), { timeout: 120_000 }).toBe(false)
    expect(await answers(demo.providerUrl)).toBe(false)
  })

  it('says which port is in use, and ends', async () => {
    const other = createServer().listen(0, '127.0.0.1')
    await once(other, 'listening')
    cleanups.push(() => new Promise((resolve) => other.close(resolve)))
    const { port } = other.address() as AddressInfo
    const demo = await start({ port })
    expect(await demo.ended()).toBe(1)
    expect(demo.output().stderr).toContain(`port ${port} is in use by another program. Choose another one: PORT=`)
    expect(demo.output().stdout).toBe('')
  })

  it.each([
    [['--instances', '2'], {}, '--instances needs REDIS_URL'],
    [['--instances', 'many'], {}, '--instances must be a whole number'],
    [['--access-ttl', '0'], {}, '--access-ttl must be a whole number'],
    [['--turbo'], {}, '--turbo'],
    [[], { PORT: 'http' }, 'PORT must be a whole number'],
    [[], { NODE_ENV: 'production' }, 'never starts with NODE_ENV=production'],
  ])('refuses %j %j', async (args, env, message) => {
    const demo = await start({ arguments: args, env })
    expect(await demo.ended()).toBe(1)
    expect(demo.output().stderr).toContain(message)
    expect(demo.output().stderr).not.toContain('    at ')
  })

  it('shares sessions between two instances, and answers 503 while Redis is gone', async () => {
    const redis = await startRedisServer()
    cleanups.push(() => redis.stop())
    const demo = await start({ arguments: ['--instances', '2'], env: { REDIS_URL: redis.url } })
    const other = `http://localhost:${demo.port + 1}`
    await expect.poll(() => demo.output().stdout).toContain(`also on ${other}`)

    const browser = await launchBrowser()
    cleanups.push(() => browser.close())
    const context = await browser.newContext()
    const page = await context.newPage()
    await page.goto(`${demo.url}/auth/login?login_hint=ada@example.test`)
    const me = (base: string) => context.request.get(`${base}/api/me`)
    expect((await me(demo.url)).status()).toBe(200)
    const session = await (await me(demo.url)).json()
    expect(await (await me(other)).json()).toEqual(session)
    expect((await context.request.get(`${other}/api/orders`)).status()).toBe(200)

    redis.pause()
    const during = await me(demo.url)
    expect([during.status(), during.headers()['retry-after']]).toEqual([503, '1'])
    expect(during.headers()).not.toHaveProperty('set-cookie')
    expect((await context.request.get(`${demo.url}/healthz`)).status()).toBe(200)
    await page.goto(demo.url)
    await page.getByRole('heading', { name: 'One moment, please' }).waitFor()
    redis.resume()
    await expect.poll(async () => (await me(demo.url)).status(), { timeout: 120_000 }).toBe(200)

    await page.goto(`${other}/`)
    await page.getByRole('button', { name: 'Sign out' }).click()
    await page.waitForURL(`${other}/`)
    expect((await me(demo.url)).status()).toBe(401)
  })
})
