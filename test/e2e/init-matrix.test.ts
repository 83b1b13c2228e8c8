/**
 * `coatcheck init` for every framework, language and module system: what it writes, or says to add to an application that
 * exists, compiles strictly, runs under `coatcheck dev` as it is and signs a user in. Packages are those of this repository.
 */
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { beforeAll, describe, expect, test, vi } from 'vitest'
import { freePort } from '../support/redis-server.ts'
import { launchBrowser } from './browser.ts'
import { CookieBrowser } from './cookie-browser.ts'

const root = resolve(import.meta.dirname, '../..')
const bin = join(root, 'dist/cli/bin.js')
const place = join(root, 'test-results/init-matrix')
const env = { PATH: process.env.PATH, HOME: process.env.HOME }
const START_MS = 120_000
const STRICT = { target: 'ES2023', strict: true, skipLibCheck: true, types: ['node'] }

interface Document {
  readonly files: readonly { readonly path: string; readonly action: string; readonly text: string | null }[]
  readonly wiring: { readonly file: string; readonly lines: readonly { where: string; code: string }[] } | null
}

beforeAll(() => rmSync(place, { recursive: true, force: true }))

function folderOf(name: string, files: Readonly<Record<string, string | object>>): string {
  const folder = join(place, name)
  mkdirSync(folder, { recursive: true })
  for (const [file, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, file)), { recursive: true })
    writeFileSync(join(folder, file), typeof content === 'string' ? content : JSON.stringify(content))
  }
  return folder
}

async function init(folder: string, ...args: readonly string[]): Promise<Document> {
  const command = [bin, 'init', '--yes', '--no-install', '--json', ...args]
  const { stdout } = await promisify(execFile)(process.execPath, command, { cwd: folder, env })
  return JSON.parse(stdout) as Document
}

/** @returns what the compiler says, empty when the program is right */
async function compile(folder: string): Promise<string> {
  const compiler = [join(root, 'node_modules/typescript/bin/tsc'), '-p', folder, '--noEmit']
  return promisify(execFile)(process.execPath, compiler).then(
    () => '',
    (error: unknown) => (error as { stdout: string }).stdout,
  )
}

/** Runs `coatcheck dev` without naming a command, and ends it afterwards. */
async function underDev(folder: string, use: (url: string) => Promise<unknown>): Promise<void> {
  const [port, idpPort] = [await freePort(), await freePort()]
  const flags = ['--port', String(port), '--idp-port', String(idpPort), '--redis', 'memory']
  const child = spawn(process.execPath, [bin, 'dev', ...flags], { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] })
  const closed = once(child, 'close')
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  try {
    const isReady = (): boolean => {
      if (child.exitCode !== null) throw new Error(`ended by itself: ${stdout}${stderr}`)
      return /^ready +http/m.test(stdout)
    }
    await vi.waitUntil(isReady, { timeout: START_MS, interval: 50 })
    await use(`http://localhost:${port}`)
    // No warning of Node, in particular none about require() of an ES module.
    expect(stderr).not.toMatch(/warning|error/i)
  } finally {
    child.kill('SIGINT')
    await closed
  }
}

async function signIn(url: string): Promise<CookieBrowser> {
  const browser = new CookieBrowser()
  const pick = await browser.visit(`${url}/auth/login?returnTo=/profile`)
  const back = await browser.visit(pick.url, { user: 'ada' })
  expect([back.url.pathname, back.status]).toEqual(['/profile', 200])
  expect(back.page).toContain('Ada Lovelace')
  return browser
}

const tsConfig = (compilerOptions: object, include = ['*.ts', '*.mts']): object => ({
  compilerOptions: { ...STRICT, ...compilerOptions },
  include,
})
const MODULE_SYSTEMS: readonly (readonly [name: string, program: string, files: Readonly<Record<string, object>>])[] = [
  ['JavaScript, no "type"', 'server.mjs', { 'package.json': { name: 'app' } }],
  ['JavaScript, "type": "module"', 'server.js', { 'package.json': { name: 'app', type: 'module' } }],
  ['JavaScript, "type": "commonjs"', 'server.mjs', { 'package.json': { name: 'app', type: 'commonjs' } }],
  [
    'TypeScript without tsconfig.json, "type": "module"',
    'server.ts',
    { 'package.json': { name: 'app', type: 'module', devDependencies: { typescript: '*' } } },
  ],
  [
    'TypeScript, module commonjs, no "type"',
    'src/server.ts',
    {
      'package.json': { name: 'app' },
      'tsconfig.json': tsConfig({ module: 'commonjs', outDir: 'dist', rootDir: 'src' }, ['src']),
    },
  ],
  [
    'TypeScript, module nodenext, no "type"',
    'server.ts',
    { 'package.json': { name: 'app', type: 'commonjs' }, 'tsconfig.json': tsConfig({ module: 'nodenext' }) },
  ],
  [
    'TypeScript, module node16, no "type"',
    'server.mts',
    { 'package.json': { name: 'app' }, 'tsconfig.json': tsConfig({ module: 'node16' }) },
  ],
  [
    'TypeScript, bundler, "type": "module"',
    'server.ts',
    {
      'package.json': { name: 'app', type: 'module' },
      'tsconfig.json': tsConfig({ module: 'esnext', moduleResolution: 'bundler', noEmit: true }),
    },
  ],
]
const FRAMEWORKS = ['express', 'fastify', 'hono'] as const

/** One of JavaScript and of TypeScript in each module system; what else tsconfig.json may say does not depend on the framework. */
const MAIN_SYSTEMS = MODULE_SYSTEMS.slice(0, 5).filter(([name]) => !name.endsWith('"commonjs"'))

describe.each(FRAMEWORKS)('a new application with %s', (framework) => {
  test.each(framework === 'express' ? MODULE_SYSTEMS : MAIN_SYSTEMS)(
    '%s',
    async (name, program, files) => {
      const folder = folderOf(`${framework}-${name.replace(/\W+/g, '-')}`, files)
      const { files: written } = await init(folder, '--framework', framework)
      expect(written.map(({ path }) => path)).toContain(program)
      if (program.endsWith('ts')) expect(await compile(folder)).toBe('')
      await underDev(folder, async (url) => {
        const browser = await signIn(url)
        // The starter keeps a number in the session: it counts from one request to the next.
        expect((await browser.visit(`${url}/profile`)).page).toContain('You have opened this page 2 times.')
      })
      // Without a change a second run has nothing to say.
      const again = await init(folder, '--framework', framework)
      expect(again.files.filter(({ action, text }) => action !== 'same' || text !== null)).toEqual([])
      expect(again.wiring).toBeNull()
    },
    300_000,
  )
})

interface Existing {
  readonly framework: (typeof FRAMEWORKS)[number]
  readonly file: string
  readonly manifest: object
  readonly tsConfig?: object
  /** With `{top}`, `{before}`, `{after}` and `{start}` where a user would add lines. */
  readonly code: string
}

const EXISTING: Readonly<Record<string, Existing>> = {
  'Express in CommonJS': {
    framework: 'express',
    file: 'index.js',
    manifest: { name: 'app', main: 'index.js' },
    code: `const express = require('express')
{top}
const server = express()
{before}
server.get('/profile', (request, response, next) => web.withUser((_, res, { user }) => res.json(user))(request, response, next))
{after}
{start}
server.listen(process.env.PORT)
`,
  },
  'Express in TypeScript below src': {
    framework: 'express',
    file: 'src/main.ts',
    manifest: { name: 'app', type: 'module', scripts: { dev: 'tsx watch src/main.ts' } },
    tsConfig: tsConfig({ module: 'nodenext', rootDir: 'src', outDir: 'dist' }, ['src']),
    code: `import express from 'express'
{top}
const app = express()
{before}
app.get('/profile', web.withUser((_request, response, { user }) => response.json(user)))
{after}
{start}
app.listen(Number(process.env.PORT))
`,
  },
  'Fastify in CommonJS with an error handler of its own': {
    framework: 'fastify',
    file: 'app.cjs',
    manifest: { name: 'app', type: 'module' },
    code: `{top}
const app = require('fastify')({ logger: false })
{before}
app.setErrorHandler((error, request, reply) => {
  {handler}
  return reply.code(500).send('own')
})
app.get('/profile', (request, reply) => web.withUser((_request, _reply, { user }) => user)(request, reply))
{start}
app.listen({ port: Number(process.env.PORT) })
`,
  },
  'Hono in modules': {
    framework: 'hono',
    file: 'app.js',
    manifest: { name: 'app', type: 'module', scripts: { start: 'node app.js' } },
    code: `import { serve } from '@hono/node-server'
import { Hono } from 'hono'
{top}
const api = new Hono()
{before}
api.get('/profile', (context, next) => web.withUser((c, { user }) => c.json(user))(context, next))
{start}
serve({ fetch: api.fetch, port: Number(process.env.PORT) })
`,
  },
}

/** Where a user would put a line, by its comment. */
const SLOTS: readonly (readonly [slot: string, where: RegExp])[] = [
  ['{top}', /^at the top/],
  ['{before}', /^before the routes/],
  ['{after}', /^after the routes/],
  ['{handler}', /^first in your error handler/],
  ['{start}', /^before the server listens/],
]

describe('an application that exists', () => {
  test.each(Object.entries(EXISTING))(
    '%s gets the lines that it lacks, and no program',
    async (name, existing) => {
      const { framework, file, manifest, code } = existing
      const filled = (lines: NonNullable<Document['wiring']>['lines']): string =>
        SLOTS.reduce((text, [slot, where]) => {
          const found = lines.filter((line) => where.test(line.where))
          return text.replace(slot, () => found.map((line) => line.code).join('\n'))
        }, code)
      const folder = folderOf(`existing-${name.replace(/\W+/g, '-')}`, {
        'package.json': manifest,
        ...(existing.tsConfig && { 'tsconfig.json': existing.tsConfig }),
        [file]: filled([]),
      })
      const { files, wiring } = await init(folder, '--framework', framework)
      expect(files.some(({ path }) => /server|page/.test(path))).toBe(false)
      expect(wiring?.file).toBe(file)
      expect(wiring?.lines).toHaveLength(4)
      expect(readFileSync(join(folder, file), 'utf8')).toBe(filled([]))

      writeFileSync(join(folder, file), filled(wiring?.lines ?? []))
      if (file.endsWith('.ts')) expect(await compile(folder)).toBe('')
      await underDev(folder, signIn)
      expect((await init(folder, '--framework', framework)).wiring).toBeNull()
      // One line less is the one that is shown.
      writeFileSync(
        join(folder, file),
        filled(wiring?.lines.filter(({ where }) => !where.startsWith('before the routes')) ?? []),
      )
      const missing = (await init(folder, '--framework', framework)).wiring?.lines.map(({ where }) => where)
      expect(new Set(missing)).toContain('before the routes')
      expect(missing).not.toContain('at the top')
    },
    300_000,
  )
})

interface Pages {
  home(user: object | null): string
  profile(user: object, visits: number): string
}

test('the pages of a starter fit a narrow screen, in light and dark, and escape what they show', async () => {
  const folder = folderOf('pages', { 'package.json': { name: 'app', type: 'module' } })
  await init(folder, '--framework', 'express')
  const pages = (await import(pathToFileURL(join(folder, 'page.js')).href)) as Pages
  const user = {
    id: 'u'.repeat(120),
    name: `<img src=x onerror="document.title='run'">${'Long'.repeat(40)}`,
    roles: ['a'],
  }
  const browser = await launchBrowser()
  try {
    for (const colorScheme of ['light', 'dark'] as const) {
      const context = await browser.newContext({ viewport: { width: 390, height: 700 }, colorScheme })
      const page = await context.newPage()
      for (const [name, html] of Object.entries({
        visitor: pages.home(null),
        home: pages.home(user),
        profile: pages.profile(user, 1),
      })) {
        await page.setContent(html)
        expect(await page.evaluate(() => document.documentElement.scrollWidth), name).toBeLessThanOrEqual(390)
        expect(await page.locator('main > h1').count()).toBe(1)
        expect(await page.locator('img').count()).toBe(0)
        expect(await page.title()).toBe(
          name === 'visitor' ? 'Welcome' : name === 'home' ? `Welcome, ${user.name}` : user.name,
        )
        expect(await page.getAttribute('html', 'lang')).toBe('en')
        if (process.env.SCREENSHOTS) {
          await page.screenshot({ path: join(process.env.SCREENSHOTS, `starter-${name}-${colorScheme}.png`) })
        }
      }
      await context.close()
    }
  } finally {
    await browser.close()
  }
})
