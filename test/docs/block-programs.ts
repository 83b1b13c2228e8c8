/** Starts a program that a page shows and asks it what its code promises: visits are counted, `/profile` wants a user. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { vi } from 'vitest'
import { sendRaw } from '../../src/testing/raw-http.ts'
import { freePort } from '../support/redis-server.ts'

export interface Asked {
  readonly problems: readonly string[]
  /** It brings its own provider and needs no setting at all. */
  readonly isSelfContained: boolean
}

const START_MS = 120_000

/** @param built the compiled file; ports that it names literally are replaced by free ones */
export async function askProgram(built: string, code: string, env: NodeJS.ProcessEnv, port: number): Promise<Asked> {
  const isSelfContained = code.includes('coatcheck/dev')
  const idpPort = await freePort()
  const text = readFileSync(built, 'utf8')
  writeFileSync(built, text.replaceAll('port: 4000', `port: ${idpPort}`).replaceAll('listen(3000)', `listen(${port})`))
  const origin = `http://localhost:${port}`
  const path = /\.get\(\s*'(\/[^':*]*)'/.exec(code)?.[1] ?? '/'
  const place = { PORT: String(port), COATCHECK_BASE_URL: origin }
  const child = spawn(process.execPath, [built], {
    cwd: dirname(built),
    env: isSelfContained ? { PATH: env.PATH, COATCHECK_RUN: env.COATCHECK_RUN, ...place } : { ...env, ...place },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let complaints = ''
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (complaints += chunk))
  try {
    const answers = async (): Promise<boolean> => {
      if (child.exitCode !== null) throw new Error(`ended by itself: ${complaints}`)
      return fetch(`${origin}${path}`).then(
        ({ ok }) => ok,
        () => false,
      )
    }
    await vi.waitUntil(answers, { timeout: START_MS, interval: 100 })
    return {
      isSelfContained,
      problems: [...(await visitProblems(origin, code)), ...(await profileProblems(origin, code))],
    }
  } finally {
    if (child.exitCode === null) {
      child.kill('SIGKILL')
      await once(child, 'exit')
    }
  }
}

async function visitProblems(origin: string, code: string): Promise<string[]> {
  if (!code.includes('visits')) return []
  const first = await fetch(origin)
  const { visits } = (await first.json()) as { visits?: number }
  const cookie = first.headers
    .getSetCookie()
    .map((line) => line.split(';')[0])
    .join('; ')
  const again = (await (await fetch(origin, { headers: { cookie } })).json()) as { visits?: number }
  return visits === 1 && again.visits === 2 ? [] : [`visits were ${String(visits)}, then ${String(again.visits)}`]
}

async function profileProblems(origin: string, code: string): Promise<string[]> {
  if (!code.includes("'/profile'")) return []
  const ask = (accept: string) => sendRaw(origin, '/profile', { headers: { accept } })
  const [program, browser] = [await ask('*/*'), await ask('text/html')]
  const isRight =
    program.status === 401 &&
    browser.status === 303 &&
    browser.headers.get('location') === '/auth/login?returnTo=%2Fprofile'
  return isRight ? [] : [`/profile answered ${program.status} to a program and ${browser.status} to a browser`]
}
