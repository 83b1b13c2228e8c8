/**
 * Runs the shell commands of the pages in a project of its own with a real Redis that holds a signed-in user. `npx coatcheck`
 * is the built command. Programs that need a service elsewhere have a stand-in of `stand-ins/`. What a test cannot do, such as
 * asking a person, is replaced here, and only here.
 */
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { vi } from 'vitest'
import { coatcheck } from '../../src/app/coatcheck.ts'
import { CoatcheckStore } from '../../src/app/drop-ins/express-session.ts'
import { connectRedis } from '../../src/entries/migrate.ts'
import { redisStore } from '../../src/stores/redis/redis-store.ts'
import { commandExamples } from '../support/command-examples.ts'
import { freePort, type RedisServer } from '../support/redis-server.ts'
import { PATIENT } from '../lab/limits.ts'
import { type Block, root } from './blocks.ts'
import { projectFolder } from './block-project.ts'
import { scriptProblem } from './block-scripts.ts'
import { installLines } from './install-lines.ts'

export interface Finished {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface Shell {
  /** Runs every command of a block, one after the other. @returns what went wrong, or an empty list */
  runBlock(block: Block, options: { readonly whole: boolean; readonly besideDev: boolean }): Promise<readonly string[]>
  /** One command; its output is what a page may quote. */
  run(command: string): Promise<Finished>
  close(): Promise<void>
}

const START_MS = 60_000
const LIMIT_MS = 60_000
/** A command that goes on until it is stopped, and the first thing that it prints when it works. */
const ENDLESS: readonly (readonly [command: RegExp, ready: RegExp])[] = [
  [/^(?:npx )?coatcheck dev\b/, /^ready +http/m],
  [/^(?:npx )?coatcheck (?:top|stats --watch)\b/, /\S/],
]
/** This project has no tenant: the doctor finds something, and no provider can refresh. */
const CODES: readonly (readonly [command: RegExp, codes: readonly number[]])[] = [
  [/^(?:npx )?coatcheck doctor\b/, [0, 1]],
  [/^(?:npx )?coatcheck tokens refresh\b/, [1, 2, 5]],
]
const PLACEHOLDER = /bqNpcWi8s91emSnb\.OVEpUxwN1wkcvbIFsiUgjg|<session id>/g
const SERVER = `import { createServer } from 'node:http'
createServer((_, response) => response.end('ok')).listen(process.env.PORT)
`
const SESSION_STORE = `import { CoatcheckStore } from 'coatcheck/express-session'
import { connectRedis } from 'coatcheck/migrate'
export const store = new CoatcheckStore({ userId: (data) => data.userId, migrateFrom: connectRedis() })
`
const TOKEN_ORIGIN = `import { fromGuideTokens } from 'coatcheck/migrate'
export const origin = fromGuideTokens()
`
const PROGRAM = `import { coatcheck } from 'coatcheck'
const auth = coatcheck()
await auth.ready()
await auth.close()
`

/** test/package/install-lines.test.ts gives each of them to npm. */
const installed = new Set([...installLines().values()].flat())

/** Examples of `--help` are run as they stand by test/cli/examples.test.ts; a page may repeat them. */
const examples = new Set(commandExamples().filter((line) => !/^coatcheck (?:dev|init|top)\b/.test(line)))

export async function startShell(redis: RedisServer): Promise<Shell> {
  const folder = join(projectFolder, 'shell')
  const bin = join(folder, 'bin')
  mkdirSync(bin, { recursive: true })
  const key = `first:${randomBytes(32).toString('base64')}`
  const command = `exec "${process.execPath}" "${join(root, 'dist/cli/bin.js')}"`
  shim(bin, 'coatcheck', `${command} "$@"`)
  // pino-pretty only colors what passes through it.
  shim(bin, 'npx', `case $1 in coatcheck) shift; ${command} "$@";; pino-pretty) exec cat;; *) exit 127;; esac`)
  for (const name of ['az', 'kubectl']) {
    shim(bin, name, `exec "${process.execPath}" "${join(root, `test/docs/stand-ins/${name}.mjs`)}" "$@"`)
  }
  shim(bin, 'redis-cli', `exec ${await whereIs('redis-cli')} -p ${redis.port} "$@"`)
  writeFileSync(
    join(folder, '.env.local'),
    `REDIS_URL=${redis.url}\nCOATCHECK_KEYS=${key}\nCOATCHECK_BASE_URL=${LOCAL}\n`,
  )
  writeFileSync(
    join(folder, 'package.json'),
    JSON.stringify({ name: 'shell', type: 'module', scripts: { start: 'node server.js' } }),
  )
  writeFileSync(join(folder, 'server.js'), SERVER)
  for (const name of ['app.mjs', 'app.js']) writeFileSync(join(folder, name), PROGRAM)
  writeFileSync(join(folder, 'session-store.mjs'), SESSION_STORE)
  writeFileSync(join(folder, 'token-origin.mjs'), TOKEN_ORIGIN)
  writeFileSync(join(folder, 'app.log'), 'error: WRONGPASS invalid username-password pair or user is disabled.\n')

  const auth = coatcheck({ store: redisStore({ ...PATIENT, url: redis.url }), keys: key, baseUrl: LOCAL })
  const freshSession = async (): Promise<string> => {
    // Two of them: some commands end all but one.
    await auth.sessions.create({ userId: 'ada' })
    const { session } = await auth.sessions.create({ userId: 'ada', data: { theme: 'dark' } })
    const tokens = { accessToken: 'a', refreshToken: 'r', expiresAt: Date.now() + 3_600_000 }
    await auth.tokens.setUserTokens('ada', tokens, { provider: 'login' })
    return session.id ?? ''
  }

  // An application that reads old sessions has run, and has reported its keys.
  const migrating = new CoatcheckStore({
    store: redisStore({ ...PATIENT, url: redis.url }),
    keys: key,
    migrateFrom: connectRedis(),
  })
  await migrating.get('none')
  await migrating.close()
  const ended = await freshSession()
  await auth.sessions.revoke(ended, 'signed-out')
  const start = (line: string, id: string, cwd = folder): Running => {
    const child = spawn(
      'bash',
      ['-e', '-o', 'pipefail', '-c', line.replace(PLACEHOLDER, id).replace('<user key>', id.split('.', 1)[0] ?? '')],
      {
        cwd,
        env: {
          COATCHECK_LOG: 'silent',
          PATH: `${bin}:${process.env.PATH ?? ''}`,
          HOME: folder,
          COATCHECK_RUN: process.env.COATCHECK_RUN,
          REDIS_URL: redis.url,
          COATCHECK_BASE_URL: LOCAL,
          id,
          ended,
          uk: id.split('.', 1)[0],
          CLIENT_ID: '11111111-1111-1111-1111-111111111111',
        },
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    )
    return watch(child)
  }

  /** Pages repeat each other's commands: each is run once. */
  const known = new Map<string, Promise<string | null>>()
  const runOnce = (line: string): Promise<string | null> => {
    const running = known.get(line) ?? runLine(line)
    known.set(line, running)
    return running
  }

  const runLine = async (line: string): Promise<string | null> => {
    if (examples.has(line.replace(/^npx /, ''))) return null
    if (/^npm (?:install|i)\b/.test(line)) return installed.has(line) ? null : 'no test installs this'
    const [, script] = /^npm (?:run )?([\w:]+)/.exec(line) ?? []
    if (script !== undefined) return scriptProblem(script)
    const endless = ENDLESS.find(([command]) => command.test(line))
    const id = await freshSession()
    if (endless) return untilReady(start(await withPorts(`exec ${line}`), id), endless[1])
    if (/^(?:npx )?coatcheck init\b/.test(line)) return failureOf(await initialize(line, start, id), [0])
    const asked = /\b(?:revoke|keys repair|keys rotate)\b/.test(line) && !line.includes('--dry-run')
    const codes = CODES.find(([command]) => command.test(line))?.[1] ?? [0]
    return failureOf(await start(asked ? `${line} --yes` : line, id).ended, codes)
  }

  return {
    async runBlock({ code }, { whole, besideDev }) {
      if (whole) {
        const id = await freshSession()
        const script = code.replace(/^(id|uk)=.*$/gm, '')
        const failure = failureOf(await start(script, id).ended, [0])
        return failure === null ? [] : [failure]
      }
      const idpPort = await freePort()
      const line = `exec npx coatcheck dev --port ${await freePort()} --idp-port ${idpPort}`
      const dev = besideDev ? start(line, await freshSession()) : null
      const failures: string[] = []
      try {
        if (dev) await ready(dev, /^ready +http/m)
        for (const one of commandsIn(code)) {
          const failure = await (besideDev ? runLine(one.replaceAll(':4000', `:${idpPort}`)) : runOnce(one))
          if (failure !== null) failures.push(`${one}: ${failure}`)
        }
      } finally {
        dev?.signal('SIGINT')
        await dev?.ended
      }
      return failures
    },
    async run(line) {
      return start(line, await freshSession()).ended
    },
    close: () => auth.close(),
  }
}

const LOCAL = 'http://localhost:3000'

/** The commands of a block: comments are dropped, lines that end with a backslash are joined, `a && b` is two commands. */
function commandsIn(code: string): readonly string[] {
  return code
    .replaceAll('\\\n', ' ')
    .split('\n')
    .flatMap((line) => line.replace(/(?:^|\s{2,}| )#\s.*$/, '').split(' && '))
    .map((line) => line.trim())
    .filter((line) => line !== '')
}

interface Running {
  readonly ended: Promise<Finished>
  stdout(): string
  isOver(): boolean
  signal(name: NodeJS.Signals): void
}

function watch(child: ReturnType<typeof spawn>): Running {
  let stdout = ''
  let stderr = ''
  let over = false
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (stdout += text))
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  const limit = setTimeout(() => child.kill('SIGKILL'), LIMIT_MS)
  const ended = new Promise<Finished>((done) => {
    child.on('close', (code) => {
      over = true
      clearTimeout(limit)
      done({ code, stdout, stderr })
    })
  })
  return { ended, stdout: () => stdout, isOver: () => over, signal: (name) => child.kill(name) }
}

async function ready(running: Running, sign: RegExp): Promise<void> {
  await vi.waitUntil(() => running.isOver() || sign.test(running.stdout()), { timeout: START_MS, interval: 50 })
}

async function untilReady(running: Running, sign: RegExp): Promise<string | null> {
  await ready(running, sign)
  const worked = sign.test(running.stdout())
  running.signal('SIGINT')
  const ended = await running.ended
  return worked ? null : `it ended with ${String(ended.code)} before it was ready: ${ended.stderr}`
}

/** In a folder of its own, from which nothing is installed; without `--yes` it would ask. */
function initialize(line: string, start: (line: string, id: string, cwd?: string) => Running, id: string) {
  const folder = join(projectFolder, 'shell', `init-${randomBytes(4).toString('hex')}`)
  mkdirSync(folder)
  const answers = [
    line.includes('--yes') ? '' : '--yes',
    line.includes('--framework') ? '' : '--framework express',
    '--no-install',
  ]
  return start(`${line} ${answers.join(' ')}`, id, folder).ended
}

async function withPorts(line: string): Promise<string> {
  if (!line.includes('coatcheck dev')) return line
  return line.replace('coatcheck dev', `coatcheck dev --port ${await freePort()} --idp-port ${await freePort()}`)
}

function failureOf({ code, stdout, stderr }: Finished, codes: readonly number[]): string | null {
  if (code === null || !codes.includes(code)) return `it ended with ${String(code)}: ${stderr}${stdout}`
  // redis-cli exits with 0 when the server refuses a command.
  const refusal = /^(?:\(error\) )?(?:ERR|WRONGTYPE|NOAUTH|NOPERM) .*$/m.exec(stdout)
  return refusal === null ? null : `Redis refused it: ${refusal[0]}`
}

function shim(folder: string, name: string, line: string): void {
  writeFileSync(join(folder, name), `#!/bin/sh\n${line}\n`)
  chmodSync(join(folder, name), 0o755)
}

async function whereIs(name: string): Promise<string> {
  const { stdout } = await watch(spawn('sh', ['-c', `command -v ${name}`], { stdio: ['ignore', 'pipe', 'pipe'] })).ended
  return stdout.trim()
}
