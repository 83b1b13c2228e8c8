/** `coatcheck init` on folders of every kind: what it writes, what it leaves alone, and what it says. */
import { execFile, execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, describe, expect, test } from 'vitest'
import { type CommandFolder, commandFolder } from '../support/command-line.ts'

const root = resolve(import.meta.dirname, '../..')
const folders: CommandFolder[] = []
afterEach(() => {
  for (const made of folders.splice(0)) made.remove()
})
function folder(files: Readonly<Record<string, string>> = {}): CommandFolder {
  const made = commandFolder()
  folders.push(made)
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(dirname(join(made.path, file)), { recursive: true })
    made.write(file, text)
  }
  return made
}
const read = (at: Pick<CommandFolder, 'path'>, file: string): string => readFileSync(join(at.path, file), 'utf8')
const filesOf = (at: CommandFolder): string[] =>
  readdirSync(at.path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(at.path.length + 1))
    .sort()
/** The command in a folder below. */
function commandFolderAt(at: CommandFolder, below: string): Pick<CommandFolder, 'path' | 'run'> {
  const run = async (args: readonly string[]) => {
    const ended = await promisify(execFile)(process.execPath, [join(root, 'dist/cli/bin.js'), ...args], {
      cwd: join(at.path, below),
      env: { PATH: process.env.PATH, HOME: at.path },
    })
    return { code: 0, ...ended }
  }
  return { path: join(at.path, below), run }
}
const init = (at: Pick<CommandFolder, 'run'>, ...args: readonly string[]) =>
  at.run(['init', '--yes', '--no-install', ...args])
const manifest = (more: object): string => JSON.stringify({ name: 'app', ...more })

interface Document {
  readonly dryRun: boolean
  readonly framework: string
  readonly files: readonly { readonly path: string; readonly action: string; readonly text: string | null }[]
  readonly wiring: { readonly file: string; readonly lines: readonly { where: string; code: string }[] } | null
  readonly next: readonly string[]
}
const documentOf = (stdout: string): Document => JSON.parse(stdout) as Document

describe('an empty folder', () => {
  const settings = ['.env.local', '.gitignore', 'package.json']
  test.each([
    ['express', ['auth.js', 'coatcheck.config.mjs', 'env.js', 'page.js', 'server.js']],
    ['fastify', ['auth.js', 'coatcheck.config.mjs', 'env.js', 'page.js', 'server.js']],
    ['hono', ['auth.js', 'coatcheck.config.mjs', 'env.js', 'page.js', 'server.js']],
    [
      'next',
      [
        'app/auth/[...path]/route.ts',
        'app/layout.tsx',
        'app/page.tsx',
        'app/points/actions.ts',
        'app/points/page.tsx',
        'app/profile/page.tsx',
        'coatcheck.config.ts',
        'instrumentation.ts',
        'lib/auth.ts',
        'proxy.ts',
        'tsconfig.json',
      ],
    ],
  ])('%s: everything, once', async (framework, files) => {
    const at = folder()
    const ended = await init(at, '--framework', framework)
    expect(ended).toMatchObject({ code: 0, stderr: '' })
    expect(filesOf(at)).toEqual([...settings, ...files].sort())
    expect(JSON.parse(read(at, 'package.json'))).toMatchObject({
      private: true,
      type: 'module',
      scripts: { dev: expect.stringContaining('coatcheck dev -- ') as string },
      // This copy is a checkout, which the registry need not have.
      dependencies: {
        coatcheck: expect.stringMatching(/^file:.*\.tgz$/) as string,
        [framework]: expect.any(String) as string,
      },
    })
    const key = /^COATCHECK_KEYS=(.*)$/m.exec(read(at, '.env.local'))?.[1] ?? ''
    expect(Buffer.from(key, 'base64')).toHaveLength(32)
    expect(statSync(join(at.path, '.env.local')).mode & 0o077).toBe(0)
    expect(ended.stdout).not.toContain(key)

    const before = filesOf(at).map((file) => read(at, file))
    const again = await init(at, '--json')
    expect(documentOf(again.stdout).files.every(({ action }) => action === 'same')).toBe(true)
    expect(filesOf(at).map((file) => read(at, file))).toEqual(before)
  })

  test('without a name of a framework it is a wrong use', async () => {
    const at = folder()
    expect(await init(at)).toMatchObject({ code: 2, stdout: '' })
    expect(filesOf(at)).toEqual([])
  })

  test('without --yes and without a terminal, too', async () => {
    const ended = await folder().run(['init', '--framework', 'express'])
    expect(ended).toMatchObject({ code: 2, stdout: '' })
    expect(ended.stderr).toContain('--yes')
  })
})

test('--dry-run writes nothing and shows all of it but the key', async () => {
  const at = folder()
  const { stdout } = await init(at, '--framework', 'hono', '--dry-run')
  expect(filesOf(at)).toEqual([])
  expect(stdout).toContain('honoAuth(auth)')
  expect(stdout).toContain(
    'sets COATCHECK_KEYS, COATCHECK_BASE_URL  commented out: REDIS_URL, REDIS_PASSWORD, AZURE_AD_',
  )
  expect(stdout).not.toMatch(/[A-Za-z0-9+/]{43}=/)
  const document = documentOf((await init(at, '--framework', 'hono', '--dry-run', '--json')).stdout)
  expect(document).toMatchObject({ schema: 1, command: 'init', dryRun: true, framework: 'hono', provider: 'entra' })
  expect(JSON.stringify(document)).not.toMatch(/[A-Za-z0-9+/]{43}=/)
  expect(filesOf(at)).toEqual([])
})

describe('a project that is there', () => {
  test('the framework is the one of package.json; modules are .mjs where .js is CommonJS', async () => {
    const at = folder({ 'package.json': manifest({ dependencies: { fastify: '^5.0.0' } }) })
    const { framework, next } = documentOf((await init(at, '--json')).stdout)
    expect(framework).toBe('fastify')
    expect(filesOf(at)).toContain('server.mjs')
    expect(read(at, 'auth.mjs')).toContain(`import './env.mjs'`)
    expect(next.join('\n')).toContain(`"scripts.dev=coatcheck dev -- node --watch server.mjs"`)
    // package.json names the version already.
    expect(next).toContain('npm install')
    expect(next.join('\n')).not.toContain('fastify@')
  })

  test('nothing is overwritten; what should be there is shown', async () => {
    const files = { 'package.json': manifest({ dependencies: { next: '^16.0.0' } }), 'app/page.js': '// mine\n' }
    const at = folder({ ...files, 'proxy.js': '// mine too\n' })
    const ended = await init(at)
    expect(read(at, 'app/page.js')).toBe('// mine\n')
    expect(read(at, 'proxy.js')).toBe('// mine too\n')
    expect(existsSync(join(at.path, 'app/page.jsx'))).toBe(false)
    expect(ended.stdout).toMatch(/as it is +app\/page\.js/)
    expect(ended.stdout).toContain('Add to proxy.js:')
    expect(ended.stdout).toContain('hasTicket(auth, request)')
  })

  test('an application of its own gets the wiring to copy, and no second server', async () => {
    const at = folder({
      'package.json': manifest({
        type: 'module',
        scripts: { start: 'node index.js' },
        dependencies: { express: '^5' },
      }),
      'index.js': '// mine\n',
    })
    const { wiring } = documentOf((await init(at, '--json')).stdout)
    expect(wiring?.lines.map(({ code }) => code)).toContain('app.use(web)')
    expect(filesOf(at)).not.toContain('server.js')
    expect(filesOf(at)).toContain('auth.js')
  })

  test('asks the developer to open /profile if the application has its own first page', async () => {
    const files = { 'package.json': manifest({ dependencies: { next: '^16.0.0' } }) }
    const existing = await init(folder({ ...files, 'app/page.js': '// mine\n' }))
    expect(existing.stdout).toMatch(/^ {2}npx coatcheck dev\n\nThen open http:\/\/localhost:3000\/profile\n$/m)
    const withoutPage = await init(folder(files))
    expect(withoutPage.stdout).toMatch(/^ {2}npx coatcheck dev\n$/m)
    expect(withoutPage.stdout).not.toContain('Then open')
  })

  test('Next 15 has a middleware on Node, and src/ is followed', async () => {
    const at = folder({
      'package.json': manifest({ dependencies: { next: '15.5.0' }, devDependencies: { typescript: '*' } }),
      'src/app/page.tsx': '',
    })
    await init(at)
    expect(read(at, 'src/middleware.ts')).toContain(`runtime: 'nodejs'`)
    expect(read(at, 'src/lib/auth.ts')).toContain(`from '../../coatcheck.config'`)
    expect(existsSync(join(at.path, 'src/proxy.ts'))).toBe(false)
  })

  test('a configuration under another name is used', async () => {
    const at = folder({
      'package.json': manifest({ type: 'module', dependencies: { hono: '^4' } }),
      'coatcheck.config.js': '// mine\n',
    })
    await init(at)
    expect(existsSync(join(at.path, 'coatcheck.config.mjs'))).toBe(false)
    expect(read(at, 'auth.js')).toContain(`from './coatcheck.config.js'`)
  })
})

describe('.env.local', () => {
  const project = manifest({ dependencies: { express: '^5' } })

  test('gets what it lacks, and keeps what it has', async () => {
    const at = folder({
      'package.json': project,
      '.env.local': 'REDIS_URL=redis://localhost:7777',
      '.env': 'COATCHECK_KEYS=k\n',
    })
    const ended = await init(at, '--redis', 'redis://localhost:6379', '--json')
    const text = read(at, '.env.local')
    expect(text.startsWith('REDIS_URL=redis://localhost:7777\n\n# ')).toBe(true)
    expect(text).not.toMatch(/COATCHECK_KEYS|6379/)
    expect(text).toContain('# AZURE_AD_CLIENT_SECRET=\n')
    expect(documentOf(ended.stdout).files).toContainEqual(
      expect.objectContaining({ path: '.env.local', action: 'append', text: null }),
    )
  })

  test.each([
    ['entra', '# AZURE_AD_TENANT_ID=', '# OIDC_ISSUER='],
    ['oidc', '# OIDC_ISSUER=', '# AZURE_AD_TENANT_ID='],
    ['dev', 'COATCHECK_KEYS=', 'AZURE_AD_TENANT_ID'],
  ])('has the settings of %s', async (provider, there, notThere) => {
    const at = folder({ 'package.json': project })
    await init(at, '--provider', provider, '--redis', 'redis://localhost:6379')
    expect(read(at, '.env.local')).toContain(there)
    expect(read(at, '.env.local')).not.toContain(notThere)
    expect(read(at, '.env.local')).toContain('\nREDIS_URL=redis://localhost:6379\n')
    expect(read(at, 'coatcheck.config.mjs')).toContain(provider === 'oidc' ? 'oidc({' : 'entra({')
  })

  test('takes no password from the command line', async () => {
    const at = folder({ 'package.json': project })
    const ended = await init(at, '--redis', 'redis://user:hidden-word@localhost')
    expect(ended.code).toBe(2)
    expect(ended.stderr).toContain('REDIS_PASSWORD')
    expect(ended.stderr).not.toContain('hidden-word')
    expect(filesOf(at)).toEqual(['package.json'])
  })

  test('is kept out of git, by a line of ours or by one that is there', async () => {
    const exposed = folder({ 'package.json': project, '.gitignore': 'dist' })
    execFileSync('git', ['init', '--quiet'], { cwd: exposed.path })
    await init(exposed)
    expect(read(exposed, '.gitignore')).toBe('dist\n.env.local\n')
    await init(exposed)
    expect(read(exposed, '.gitignore')).toBe('dist\n.env.local\n')

    const ignored = folder({ 'package.json': project, '.gitignore': '.env*\n' })
    execFileSync('git', ['init', '--quiet'], { cwd: ignored.path })
    await init(ignored)
    expect(read(ignored, '.gitignore')).toBe('.env*\n')
  })

  test('is kept out of a repository that comes later', async () => {
    const fresh = folder({ 'package.json': project })
    await init(fresh)
    expect(read(fresh, '.gitignore')).toContain('node_modules/\n')
    execFileSync('git', ['init', '--quiet'], { cwd: fresh.path })
    execFileSync('git', ['check-ignore', '--quiet', '.env.local'], { cwd: fresh.path })

    const ignored = folder({ 'package.json': project, '.gitignore': 'dist\n.env*\n' })
    await init(ignored)
    expect(read(ignored, '.gitignore')).toBe('dist\n.env*\n')
  })

  test.each([
    ['tracked', 'git tracks .env.local'],
    ['not ignored', 'git does not ignore that file'],
    ['ignored', null],
  ])('behind a link to a file of the monorepo that is %s', async (state, says) => {
    const monorepo = folder({ 'apps/web/package.json': project, 'shared.env': 'X=1\n' })
    symlinkSync('../../shared.env', join(monorepo.path, 'apps/web/.env.local'))
    const git = (...args: string[]) => execFileSync('git', args, { cwd: monorepo.path, encoding: 'utf8' })
    git('init', '--quiet')
    if (state === 'tracked') git('add', 'shared.env')
    if (state === 'ignored') monorepo.write('.gitignore', 'shared.env\n.env.local\n')
    const ended = await commandFolderAt(monorepo, 'apps/web')
      .run(['init', '--yes', '--no-install'])
      .catch((error: unknown) => error)
    if (says === null) {
      expect(read(monorepo, 'shared.env')).toContain('COATCHECK_KEYS=')
      return
    }
    expect(ended).toMatchObject({ code: 2, stderr: expect.stringContaining(says) as string })
    expect(read(monorepo, 'shared.env')).toBe('X=1\n')
  })

  test('is kept out of git in a folder of a monorepo, and against a rule that takes it in', async () => {
    const monorepo = folder({ '.gitignore': '.env*\n!.env.local\n', 'apps/web/package.json': project })
    const inside = commandFolderAt(monorepo, 'apps/web')
    await init(inside)
    const git = (...args: string[]) => execFileSync('git', args, { cwd: monorepo.path, encoding: 'utf8' })
    git('init', '--quiet')
    git('add', '--all')
    const key = /^COATCHECK_KEYS=(.*)$/m.exec(read(inside, '.env.local'))?.[1] ?? 'none'
    expect(key).toHaveLength(44)
    for (const file of git('ls-files').trim().split('\n')) expect(read(monorepo, file), file).not.toContain(key)

    const negated = folder({ 'package.json': project, '.gitignore': '.env*\n!.env.local\n' })
    await init(negated)
    expect(read(negated, '.gitignore')).toBe('.env*\n!.env.local\n.env.local\n')
  })

  test('does not go into a file that git has: it says how to take it out, and writes nothing', async () => {
    const at = folder({ 'package.json': project, '.env.local': 'OTHER=1\n' })
    const git = (...args: string[]) => execFileSync('git', args, { cwd: at.path })
    git('init', '--quiet')
    git('add', '--force', '.env.local')
    const ended = await init(at)
    expect(ended.code).toBe(2)
    expect(ended.stderr).toContain('git rm --cached .env.local')
    expect(filesOf(at).filter((file) => !file.startsWith('.git/'))).toEqual(['.env.local', 'package.json'])
    expect(read(at, '.env.local')).toBe('OTHER=1\n')
    git('rm', '--quiet', '--cached', '.env.local')
    expect((await init(at)).code).toBe(0)
    expect(read(at, '.gitignore')).toContain('.env.local')
  })
})

test('what it writes in TypeScript compiles for a strict user', async () => {
  // Within the package, so that its name leads to itself, and the frameworks are found.
  const place = join(root, 'test-results/init-types')
  rmSync(place, { recursive: true, force: true })
  const bin = join(root, 'dist/cli/bin.js')
  for (const framework of ['express', 'fastify', 'hono', 'next']) {
    for (const provider of framework === 'express' ? ['entra', 'oidc'] : ['entra']) {
      const at = join(place, `${framework}-${provider}`)
      mkdirSync(at, { recursive: true })
      const devDependencies = { typescript: '*' }
      writeFileSync(join(at, 'package.json'), manifest({ type: 'module', devDependencies }))
      const compilerOptions = {
        module: 'NodeNext',
        target: 'ES2023',
        strict: true,
        skipLibCheck: true,
        noEmit: true,
        types: ['node'],
      }
      if (framework !== 'next')
        writeFileSync(join(at, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['*.ts'] }))
      const args = ['init', '--yes', '--no-install', '--framework', framework, '--provider', provider]
      await promisify(execFile)(process.execPath, [bin, ...args], { cwd: at })
      const compiler = [join(root, 'node_modules/typescript/bin/tsc'), '-p', at, '--noEmit']
      const output = await promisify(execFile)(process.execPath, compiler).then(
        () => '',
        (error: unknown) => (error as { stdout: string }).stdout,
      )
      expect(output, framework).toBe('')
    }
  }
}, 300_000)
