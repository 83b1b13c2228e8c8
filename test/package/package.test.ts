/**
 * The package as users get it: packed, installed into an empty folder elsewhere, imported, compiled against. Nothing here
 * looks at the sources but to know what should be in the tarball.
 */
import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { newProject, outsideOfNpm, pack, placeWithoutPackages, root } from './packing.ts'

const run = promisify(execFile)
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  exports: Record<string, { types?: string } | string>
  types: string
  typesVersions: Record<string, Record<string, readonly string[]>>
  dependencies: Record<string, string>
  devDependencies: Record<string, string>
  peerDependencies: Record<string, string>
  peerDependenciesMeta: Record<string, { optional?: boolean }>
}
const entries = Object.keys(manifest.exports)
  .filter((entry) => entry !== './package.json')
  .map((entry) => `coatcheck${entry.slice(1)}`)

/** Entries that are nothing without the package that they are for; all others load without any framework. */
const HOSTS: Readonly<Record<string, readonly string[]>> = {
  'coatcheck/next': ['next', 'react', 'react-dom'],
  'coatcheck/express-session': ['express-session'],
  'coatcheck/otel': ['@opentelemetry/api'],
  'coatcheck/prometheus': ['prom-client'],
}

/** What our dependencies bring themselves. One more is one more that everybody who installs us has to trust. */
const OWN_OF_DEPENDENCIES = [
  'oauth4webapi', // openid-client
  ...['@clack/core', 'fast-string-truncated-width', 'fast-string-width', 'fast-wrap-ansi', 'sisteransi'], // @clack/prompts
  ...['@colors/colors', 'ansi-regex', 'emoji-regex', 'is-fullwidth-code-point', 'string-width', 'strip-ansi'], // cli-table3
]

const folder = mkdtempSync(join(placeWithoutPackages(), 'coatcheck-package-'))
let tarball = ''
let files: readonly string[] = []

beforeAll(async () => {
  await run(process.execPath, ['scripts/build.mjs'], { cwd: root })
  await run(process.execPath, ['scripts/supply-chain.mjs', '--sbom'], { cwd: root })
  ;({ tarball, files } = await pack(folder))
}, 300_000)
afterAll(() => rmSync(folder, { recursive: true, force: true }))

it('holds what was built, the sources that its maps point to, the pages that messages name, and nothing else', () => {
  const sources = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' }).filter(
    (file) => file.endsWith('.ts') && !file.endsWith('.test.ts'),
  )
  const built = sources.flatMap((file) => {
    const name = `dist/${file.slice(0, -'.ts'.length)}`
    return [`${name}.js`, `${name}.js.map`, `${name}.d.ts`, `${name}.d.ts.map`]
  })
  const pages = ['CHANGELOG.md', 'LICENSE', 'README.md', 'SECURITY.md', 'package.json', 'sbom.cdx.json']
  const docs = readdirSync(join(root, 'docs'), { recursive: true, withFileTypes: true }).flatMap((entry) =>
    entry.isFile() ? [relative(root, join(entry.parentPath, entry.name))] : [],
  )
  expect(files).toEqual([...pages, ...docs, ...built, ...sources.map((file) => `src/${file}`)].sort())
})

describe('installed without any peer', () => {
  let consumer = ''
  beforeAll(async () => {
    consumer = await install('bare', ['--legacy-peer-deps'])
  }, 300_000)

  it('brings its own dependencies and nothing else', () => {
    expect(installedIn(consumer)).toEqual(ownDependencies())
  })

  it.each(Object.entries(HOSTS))('%s says what is missing, and loads with nothing but %j', async (entry, hosts) => {
    const script = `await import('${entry}'); console.log('loaded')`
    const load = () => run(process.execPath, ['--input-type=module', '-e', script], { cwd: consumer })
    await expect(load()).rejects.toThrow(`Cannot find package '${hosts[0]}'`)
    const places = hosts.map((host) => join(consumer, 'node_modules', host))
    for (const place of places) mkdirSync(dirname(place), { recursive: true })
    for (const [index, host] of hosts.entries()) symlinkSync(join(root, 'node_modules', host), places[index] ?? '')
    try {
      expect((await load()).stdout).toBe('loaded\n')
    } finally {
      for (const place of places) rmSync(place)
    }
  })

  it.each(entries.filter((entry) => !(entry in HOSTS)))(
    '%s can be imported and required, and both give the same module',
    async (entry) => {
      const script = `
      import { createRequire } from 'node:module'
      const imported = await import('${entry}')
      const required = createRequire(process.cwd() + '/x.js')('${entry}')
      console.log(JSON.stringify([Object.keys(imported).sort(), required === imported]))`
      const { stdout, stderr } = await run(process.execPath, ['--input-type=module', '-e', script], { cwd: consumer })
      const [names, same] = JSON.parse(stdout) as [string[], boolean]
      expect(names.length).toBeGreaterThan(0)
      expect(same).toBe(true)
      // Importing does nothing: no banner, no warning but the one of Node 20 about require() of ES modules.
      expect(stderr.replace(/^.*(ExperimentalWarning: CommonJS module|--trace-warnings).*\n/gm, '')).toBe('')
    },
  )

  it('what is not an entry cannot be reached', async () => {
    const importing = run(process.execPath, ['--input-type=module', '-e', `await import('coatcheck/dist/index.js')`], {
      cwd: consumer,
    })
    await expect(importing).rejects.toThrow('ERR_PACKAGE_PATH_NOT_EXPORTED')
  })

  it('says which package to install when Redis is asked for and its client is not there', async () => {
    const script = `
      import { coatcheck } from 'coatcheck'
      import { redisStore } from 'coatcheck/redis'
      const auth = coatcheck({ store: redisStore({ url: 'redis://127.0.0.1:1' }) })
      await auth.ready().catch((error) => console.log(error.code, error.fix))
      await auth.close()`
    const { stdout } = await run(process.execPath, ['--input-type=module', '-e', script], { cwd: consumer })
    expect(stdout).toBe('COATCHECK_REDIS_PACKAGE_MISSING Install it in the application: npm install redis\n')
  })
})

describe('installed by npm as it comes', () => {
  let consumer = ''
  beforeAll(async () => {
    consumer = await install('plain', [])
  }, 300_000)

  it('brings the client of Redis too, and no framework', () => {
    expect(Object.keys(manifest.peerDependencies).filter((name) => !manifest.peerDependenciesMeta[name])).toEqual([
      'redis',
    ])
    expect(installedIn(consumer)).toEqual([...ownDependencies(), '@redis', 'redis'].sort())
  })

  it('carries a bill of materials that names what was installed, and how it belongs together', () => {
    const installed = join(consumer, 'node_modules')
    const bill = JSON.parse(readFileSync(join(installed, 'coatcheck/sbom.cdx.json'), 'utf8')) as Bill
    expect(bill).toMatchObject({ bomFormat: 'CycloneDX', metadata: { component: { name: 'coatcheck' } } })
    const record = readFileSync(join(installed, '.package-lock.json'), 'utf8')
    const { packages } = JSON.parse(record) as { packages: Record<string, unknown> }
    const names = Object.keys(packages).map((path) => path.slice(path.lastIndexOf('node_modules/') + 13))
    expect(namesIn(bill.components)).toEqual([...new Set(names.filter((name) => name !== 'coatcheck'))].sort())
    const [own] = bill.dependencies
    const direct = [...Object.keys(manifest.dependencies), 'redis'].sort()
    expect(own?.dependsOn?.map((name) => name.slice(0, name.lastIndexOf('@'))).sort()).toEqual(direct)
    for (const { hashes, licenses } of bill.components) {
      expect([hashes, licenses].every((facts) => facts.length > 0)).toBe(true)
    }
  })

  it('keeps sessions on localhost without a server or a setting', async () => {
    const script = `
      import { coatcheck } from 'coatcheck'
      const auth = coatcheck()
      await auth.ready()
      const { ticket } = await auth.sessions.create({ data: { visits: 1 } })
      const { session } = await auth.sessions.find(ticket)
      console.log(session.data.visits)
      await auth.close()`
    const env = { PATH: process.env['PATH'] }
    const { stdout } = await run(process.execPath, ['--input-type=module', '-e', script], { cwd: consumer, env })
    expect(stdout).toBe('1\n')
  })
})

/** Pages whose first example is compiled, and what it takes for granted. */
const DOCS = {
  configuration: '',
  redis: '',
  'sign-in': `import type { Coatcheck } from 'coatcheck'
    declare const auth: Coatcheck<object>`,
  tokens: `import type { Coatcheck } from 'coatcheck'
    declare const auth: Coatcheck<object>
    declare const userId: string`,
}

describe('types for a strict consumer', () => {
  const docsFiles = Object.keys(DOCS).map((page) => `${page}.ts`)
  let consumer = ''
  beforeAll(async () => {
    const wanted = ['typescript', '@types/node', '@types/express', '@types/oidc-provider', 'redis']
    consumer = await install(
      'typed',
      wanted.map((name) => `${name}@${manifest.devDependencies[name] ?? ''}`),
    )
    for (const name of ['app.ts', 'app.cts']) writeFileSync(join(consumer, name), CONSUMER)
    writeFileSync(join(consumer, 'readme.ts'), readmeExample())
    for (const [page, before] of Object.entries(DOCS)) {
      writeFileSync(join(consumer, `${page}.ts`), `${before}\n${firstExample(`docs/${page}.md`)}`)
    }
  }, 300_000)

  it('typesVersions names every entry, for a compiler that does not read exports', () => {
    const typed = Object.entries(manifest.exports).flatMap(([entry, target]) =>
      typeof target === 'string' ? [] : [[entry, target.types] as const],
    )
    const named = Object.entries(manifest.typesVersions['*'] ?? {}).map(([name, [types]]) => [`./${name}`, types])
    expect([['.', manifest.types], ...named]).toEqual(typed)
  })

  it.each([
    ['NodeNext', 'NodeNext', ['app.ts', 'app.cts', 'readme.ts', ...docsFiles], {}],
    ['ESNext', 'Bundler', ['app.ts', 'readme.ts', ...docsFiles], {}],
    ['CommonJS', 'Node10', ['app.ts'], NODE10],
  ])(
    'module %s, moduleResolution %s',
    async (module, moduleResolution, sources, others) => {
      const own = { module, moduleResolution, target: 'ES2022', types: ['node'], noEmit: true }
      const config = { compilerOptions: { ...own, ...STRICT, ...others }, files: sources }
      const project = `tsconfig.${module}.json`
      writeFileSync(join(consumer, project), JSON.stringify(config))
      const tsc = run(process.execPath, ['node_modules/typescript/bin/tsc', '-p', project], { cwd: consumer })
      const output = await tsc.then(
        () => '',
        (error: unknown) => (error as { stdout: string }).stdout,
      )
      expect(output).toBe('')
    },
    120_000,
  )
})

const STRICT = { strict: true, exactOptionalPropertyTypes: true, noUncheckedIndexedAccess: true, skipLibCheck: false }
/**
 * The resolution that `module: commonjs` implied before TypeScript 6. It does not read `exports`, so it does not find all
 * declarations of other packages: the compiler skips them.
 */
const NODE10 = { ignoreDeprecations: '6.0', skipLibCheck: true }

const CONSUMER = `
import express from 'express'
import { coatcheck, entra, isCoatcheckError, oidc, type Session, type User } from 'coatcheck'
import { expressAuth } from 'coatcheck/express'
import { memoryStore } from 'coatcheck/memory'
import { redisStore } from 'coatcheck/redis'
import { startDevProvider } from 'coatcheck/dev'
import { sessionCases } from 'coatcheck/testing'

interface Data { cart?: string[]; visits: number }
export const auth = coatcheck<Data>({ store: redisStore(), providers: [entra()], session: { idleTimeout: '8h' } })
export const other = coatcheck({ store: memoryStore(), providers: [oidc({ name: 'x', issuer: 'https://x.example', clientId: 'y' })] })
const web = expressAuth(auth)
const app: express.Express = express()
app.use(web)
app.get('/', async (request, response) => {
  const session: Session<Data> = await web.getSession(request)
  await session.set('visits', session.data.visits + 1)
  await session.delete('cart')
  // @ts-expect-error a field that is always there cannot be deleted
  await session.delete('visits')
  // @ts-expect-error no such field
  await session.set('visit', 1)
  // @ts-expect-error data is read-only
  session.data.visits = 2
  const user: User | null = session.user
  response.json({ user, cart: session.data.cart?.length })
})
app.get('/profile', web.requireUser(), web.withUser((_request, response, { user }) => response.json(user.id)))
app.use(web.errorHandler)
export const provider = startDevProvider
export const cases: number = sessionCases.length
export function codeOf(error: unknown): string | null {
  return isCoatcheckError(error) ? error.code : null
}
`

/** What the README shows first is what people type first. */
function readmeExample(): string {
  const code = firstExample('README.md')
  expect(code).toContain('expressAuth')
  return code
}

function firstExample(page: string): string {
  const [, code] = /```ts(?: \S+)?\n([\s\S]*?)```/.exec(readFileSync(join(root, page), 'utf8')) ?? []
  if (code === undefined) throw new Error(`${page} shows no example`)
  return code
}

interface Bill {
  readonly metadata: { readonly component: { readonly name: string } }
  readonly components: readonly {
    readonly name: string
    readonly hashes: readonly unknown[]
    readonly licenses: readonly unknown[]
  }[]
  readonly dependencies: readonly { readonly dependsOn?: readonly string[] }[]
}

function namesIn(components: Bill['components']): string[] {
  return [...new Set(components.map(({ name }) => name))].sort()
}

function installedIn(project: string): string[] {
  return readdirSync(join(project, 'node_modules'))
    .filter((name) => !name.startsWith('.'))
    .sort()
}

function ownDependencies(): string[] {
  const brought = [...Object.keys(manifest.dependencies), ...OWN_OF_DEPENDENCIES]
  return [...new Set(['coatcheck', ...brought.map((name) => name.split('/', 1)[0] ?? '')])].sort()
}

/** An empty project elsewhere, with the tarball and the given packages (or options of npm). */
async function install(name: string, packages: readonly string[]): Promise<string> {
  const project = newProject(join(folder, name), { name })
  await run('npm', ['install', tarball, ...packages], { cwd: project, env: outsideOfNpm() })
  return project
}
