/**
 * The demo while its Redis hangs, and while it is gone: who is signed in gets a quick "try again", keeps the cookie, and is
 * signed in when Redis is back. The figures are promises to users, so they stand here as they were promised; a machine that is
 * busy with something else may take up to three rounds to show one in which they hold. All else holds in every round.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Browser } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { launchBrowser } from '../e2e/browser.ts'
import { type Demo, startDemo } from '../e2e/demo-process.ts'
import { type RedisServer, startRedisServer } from '../support/redis-server.ts'
import { expectWithin, HANG_MS, withinMs } from '../lab/limits.ts'

const ANSWER_MS = 400
const RECOVERY_MS = 1000
const ROUNDS = 3

let redis: RedisServer
let demo: Demo
let browser: Browser
/** Of somebody who is signed in. */
let cookie: string

beforeAll(async () => {
  redis = await startRedisServer({ args: ['--appendonly', 'yes'] })
  ;[demo, browser] = await Promise.all([startDemo({ env: { REDIS_URL: redis.url } }), launchBrowser()])
  expect(demo.output().stdout, demo.output().stderr).toContain(`ready ${demo.url}\n`)
  const context = await browser.newContext()
  const page = await context.newPage()
  await page.goto(`${demo.url}/auth/login?login_hint=ada@example.test`)
  const cookies = await context.cookies(demo.url)
  cookie = cookies.map(({ name, value }) => `${name}=${value}`).join('; ')
})
afterEach(async () => {
  redis.resume()
  await untilSignedIn()
})
afterAll(async () => {
  await Promise.all([browser?.close(), demo?.stop()])
  await redis?.stop()
})

interface Answer {
  readonly status: number
  readonly retryAfter: string | null
  readonly setCookie: readonly string[]
  readonly ms: number
}

async function ask(path: string): Promise<Answer> {
  const start = performance.now()
  const response = await fetch(demo.url + path, { headers: { cookie, accept: 'text/html' }, redirect: 'manual' })
  await response.arrayBuffer()
  const { status, headers } = response
  const ms = performance.now() - start
  return { status, retryAfter: headers.get('retry-after'), setCookie: headers.getSetCookie(), ms }
}

/** Milliseconds until the same cookie is a signed-in user's again, without any other answer than 503 before. */
async function untilSignedIn(): Promise<number> {
  const start = performance.now()
  for (;;) {
    const { status, setCookie } = await ask('/api/me')
    expect(setCookie).toEqual([])
    if (status === 200) return performance.now() - start
    expect(status).toBe(503)
    if (performance.now() - start > HANG_MS) throw new Error('Redis is back, and the demo does not find it.')
    await sleep(10)
  }
}

function expectTryAgain(answer: Answer): void {
  expect(answer).toMatchObject({ status: 503, retryAfter: '1', setCookie: [] })
}

interface Round {
  readonly answerMs: number
  readonly recoveryMs: number
}

/** Rounds until one keeps the promises; the test fails on the last one. */
async function inOneRoundOf(count: number, play: () => Promise<Round>): Promise<void> {
  let round: Round
  do {
    round = await play()
  } while (--count > 0 && (round.answerMs >= withinMs(ANSWER_MS) || round.recoveryMs >= withinMs(RECOVERY_MS)))
  expectWithin(round.answerMs, ANSWER_MS)
  expectWithin(round.recoveryMs, RECOVERY_MS)
}

const sessionPaths = ['/', '/profile', '/api/me', '/api/orders', '/auth/session', '/auth/devices']

async function expectOutage(): Promise<void> {
  for (const path of sessionPaths) expectTryAgain(await ask(path))
  expect(await ask('/healthz')).toMatchObject({ status: 200, setCookie: [] })
}

describe('the demo', () => {
  it.each(sessionPaths)('answers %s within 400 ms while Redis hangs, and works within 1 s of its return', (path) =>
    inOneRoundOf(ROUNDS, async () => {
      expect((await ask(path)).status).toBe(200)
      redis.pause()
      const first = await ask(path)
      expectTryAgain(first)
      await expectOutage()
      redis.resume()
      return { answerMs: first.ms, recoveryMs: await untilSignedIn() }
    }),
  )

  it('does the same for 20 requests at once, and after a long outage', () =>
    inOneRoundOf(ROUNDS, async () => {
      redis.pause()
      const answers = await Promise.all(Array.from({ length: 20 }, () => ask('/api/me')))
      answers.forEach(expectTryAgain)
      // Long enough for the circuit to open and the connection to be given up.
      await sleep(3000)
      await expectOutage()
      redis.resume()
      return { answerMs: Math.max(...answers.map(({ ms }) => ms)), recoveryMs: await untilSignedIn() }
    }))

  it('answers at once while Redis is dead, and works within 1 s of its return with the same data', () =>
    inOneRoundOf(ROUNDS, async () => {
      await redis.kill()
      const first = await ask('/api/me')
      expectTryAgain(first)
      await expectOutage()
      // Longer than the first attempts to connect again, which follow each other closely.
      await sleep(2000)
      expectTryAgain(await ask('/api/me'))
      await redis.restart()
      return { answerMs: first.ms, recoveryMs: await untilSignedIn() }
    }))

  it('asks Redis nothing for /healthz', async () => {
    const commands = async () => Number(/^total_commands_processed:(\d+)/m.exec(await redis.cli('info', 'stats'))?.[1])
    const before = await commands()
    for (let count = 0; count < 50; count++) expect((await ask('/healthz')).status).toBe(200)
    // The count itself is one, and a connection that is watched may say PING meanwhile.
    expect((await commands()) - before).toBeLessThan(10)
  })
})
