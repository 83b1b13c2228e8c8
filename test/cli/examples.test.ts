/** What `--help` shows as examples is run here, each line as it stands there, in a folder that is set up as a project is. */
import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chmodSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { coatcheck } from '../../src/app/coatcheck.ts'
import { redisStore } from '../../src/stores/redis/redis-store.ts'
import { commandExamples } from '../support/command-examples.ts'
import { type CommandFolder, commandFolder, type Ended } from '../support/command-line.ts'
import { type RedisServer, startRedisServer } from '../support/redis-server.ts'
import { PATIENT } from '../lab/limits.ts'

/** Run elsewhere, since they go on until they are stopped or ask somebody: test/e2e/init-and-dev.test.ts, operations.test.ts. */
const ELSEWHERE = ['coatcheck dev', 'coatcheck init', 'coatcheck top']
/** What a whole set-up is missing here: a provider, so nothing can be refreshed and the doctor has something to say. */
const OTHER_CODES: readonly (readonly [start: string, codes: readonly number[]])[] = [
  ['coatcheck tokens refresh', [1, 2, 5]],
  ['coatcheck doctor', [0, 1]],
]
const PLACEHOLDER = /bqNpcWi8s91emSnb\.OVEpUxwN1wkcvbIFsiUgjg|<session id>/

const USER_KEY = 'bqNpcWi8s91emSnb'

const lines = commandExamples()
let server: RedisServer
let at: CommandFolder
let path = ''

beforeAll(async () => {
  server = await startRedisServer()
  const key = `first:${randomBytes(32).toString('base64')}`
  at = commandFolder()
  at.write('.env.local', `REDIS_URL=${server.url}\nCOATCHECK_KEYS=${key}\nCOATCHECK_BASE_URL=http://localhost:3000\n`)
  const dist = (name: string): string => pathToFileURL(resolve(`dist/entries/${name}.js`)).href
  at.write(
    'session-store.mjs',
    `import { CoatcheckStore } from '${dist('express-session')}'
import { connectRedis } from '${dist('migrate')}'
export const store = new CoatcheckStore({ userId: (data) => data.userId, migrateFrom: connectRedis() })
`,
  )
  at.write(
    'token-origin.mjs',
    `import { fromGuideTokens } from '${dist('migrate')}'\nexport const origin = fromGuideTokens()\n`,
  )
  at.write('app.log', 'error: WRONGPASS invalid username-password pair or user is disabled.\n')
  const shim = join(at.path, 'coatcheck')
  writeFileSync(shim, `#!/bin/sh\nexec "${process.execPath}" "${resolve('dist/cli/bin.js')}" "$@"\n`)
  chmodSync(shim, 0o755)
  path = `${at.path}:${process.env.PATH ?? ''}`
  await people(key)
})
afterAll(async () => {
  at.remove()
  await server.stop()
})

/** Somebody to look at, made anew for each line: some of them end sessions. */
async function people(key: string): Promise<void> {
  const auth = coatcheck({
    store: redisStore({ ...PATIENT, url: server.url }),
    keys: key,
    baseUrl: 'http://localhost:3000',
  })
  make = async () => {
    const { session } = await auth.sessions.create({ userId: 'ada', data: { theme: 'dark' } })
    const expiresAt = Date.now() + 3_600_000
    await auth.tokens.setUserTokens('ada', { accessToken: 'a', refreshToken: 'r', expiresAt }, { provider: 'login' })
    return session.id ?? ''
  }
  closing.push(() => auth.close())
  await make()
}
let make: () => Promise<string> = () => Promise.resolve('')
const closing: (() => Promise<void>)[] = []
afterAll(async () => {
  for (const close of closing) await close()
})

async function run(line: string): Promise<Ended> {
  const id = await make()
  return new Promise((ended) => {
    const env = { PATH: path, HOME: at.path, COATCHECK_RUN: process.env.COATCHECK_RUN }
    execFile(
      'sh',
      ['-c', line.replace(PLACEHOLDER, id).replace(USER_KEY, id.split('.', 1)[0] ?? '')],
      { cwd: at.path, env },
      (error, stdout, stderr) => ended({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
    )
  })
}

test('every command has examples', () => {
  expect(lines.length).toBeGreaterThan(40)
  expect(new Set(lines).size).toBe(lines.length)
})

test.each(lines.filter((line) => !ELSEWHERE.some((start) => line.startsWith(start))))('%s', async (line) => {
  const ended = await run(line)
  const codes = OTHER_CODES.find(([start]) => line.startsWith(start))?.[1] ?? [0]
  expect(codes, ended.stderr).toContain(ended.code)
  if (ended.code === 0) expect(ended.stdout).not.toBe('')
  if (line.includes('--json')) expect(JSON.parse(ended.stdout)).toMatchObject({ schema: 1 })
  else if (!line.startsWith('coatcheck completion')) {
    const { stdout } = await run(`${line} --json`)
    // What goes on and on gives a document for each line.
    const documents = line.includes('--watch') ? stdout.trimEnd().split('\n') : [stdout]
    for (const text of documents)
      expect(JSON.parse(text)).toMatchObject({ schema: 1, command: expect.any(String) as string })
  }
})
