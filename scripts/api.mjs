/**
 * `npm run api`: writes docs/api/ from the docstrings of every entry of package.json, one page per entry. With `--check` it writes
 * nothing and fails when a page is out of date, a public declaration has no docstring, or a `{@link}` leads nowhere.
 */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { format, resolveConfig } from 'prettier'
import { Application, LogLevel } from 'typedoc'
import typescript from 'typescript'

const root = resolve(import.meta.dirname, '..')
const target = join(root, 'docs/api')
const check = process.argv.includes('--check')
const { exports: entries } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))

/** `./express` is the page `express.md`; the entry without a name is `coatcheck.md`. */
const sources = Object.entries(entries).flatMap(([entry, value]) =>
  typeof value === 'string'
    ? []
    : [{ name: entry === '.' ? 'coatcheck' : entry.slice('./'.length), source: value['coatcheck-source'] }],
)

keepNamesOfErrors()
const made = mkdtempSync(join(tmpdir(), 'coatcheck-api-'))
try {
  const complaints = await generate()
  const pages = await finished()
  if (check) {
    const old = new Map(readdirSync(target).map((file) => [file, readFileSync(join(target, file), 'utf8')]))
    const stale = [...new Set([...pages.keys(), ...old.keys()])].filter((file) => pages.get(file) !== old.get(file))
    for (const file of stale) complaints.push(`docs/api/${file} is out of date: npm run api`)
  } else {
    rmSync(target, { recursive: true, force: true })
    mkdirSync(target, { recursive: true })
    for (const [file, text] of pages) writeFileSync(join(target, file), text)
    console.log(`${pages.size} pages in docs/api`)
  }
  for (const complaint of complaints) console.error(complaint)
  process.exitCode = complaints.length > 0 ? 1 : 0
} finally {
  rmSync(made, { recursive: true, force: true })
}

/** TypeDoc drops the type of `@throws {RedisError} …`. It reads the sources with the name as a part of the text instead. */
function keepNamesOfErrors() {
  const { sys } = typescript
  const readFile = sys.readFile.bind(sys)
  sys.readFile = (file, encoding) =>
    readFile(file, encoding)?.replace(/@throws \{([A-Za-z| ]+)\}/g, (_, names) => {
      const listed = names.split('|').map((name) => `\`${name.trim()}\``)
      return `@throws ${listed.length > 1 ? `${listed.slice(0, -1).join(', ')} or ` : ''}${listed.at(-1)}`
    })
}

/** @returns everything that typedoc complains about */
async function generate() {
  const app = await Application.bootstrapWithPlugins({
    entryPoints: sources.map(({ source }) => source),
    tsconfig: join(root, 'tsconfig.build.json'),
    plugin: ['typedoc-plugin-markdown'],
    readme: 'none',
    out: made,
    outputFileStrategy: 'modules',
    entryFileName: 'README',
    hidePageHeader: true,
    hideBreadcrumbs: true,
    hideGroupHeadings: false,
    disableSources: true,
    excludePrivate: true,
    excludeInternal: true,
    excludeExternals: true,
    useCodeBlocks: true,
    expandObjects: false,
    parametersFormat: 'list',
    interfacePropertiesFormat: 'list',
    validation: { notExported: false, invalidLink: true, notDocumented: true, rewrittenLink: true },
    logLevel: 'Warn',
  })
  const complaints = []
  app.logger.log = (text, level) => {
    // Members of a mapped type are generated: they have no declaration that could carry a docstring.
    if (level >= LogLevel.Warn && !text.includes('defined in coatcheck/,')) complaints.push(text)
  }
  const project = await app.convert()
  if (!project) throw new Error(`typedoc failed: ${complaints.join('\n')}`)
  for (const module of project.children ?? []) {
    const file = project.getSymbolIdFromReflection(module)?.fileName ?? ''
    const entry = sources.find(({ source }) => file.endsWith(source.slice('.'.length)))
    if (!entry) throw new Error(`${module.name} is no entry of package.json`)
    module.name = entry.name
  }
  app.validate(project)
  await app.generateOutputs(project)
  return complaints
}

/** Formatted as every other page, so that `npm run check -- format` accepts them. */
async function finished() {
  const options = { ...(await resolveConfig(join(target, 'README.md'))), parser: 'markdown' }
  const pages = new Map()
  for (const file of readdirSync(made).filter((name) => name.endsWith('.md'))) {
    pages.set(file, await format(withAnchors(readFileSync(join(made, file), 'utf8')), options))
  }
  return pages
}

/** The plugin numbers repeated headings in its own way; a number that no heading of the page has is taken off. */
function withAnchors(text) {
  const counts = new Map()
  const anchors = new Set()
  for (const [, title] of text.matchAll(/^#{1,6} +(.+?) *$/gm)) {
    const base = title
      .toLowerCase()
      .replace(/[^\w -]/g, '')
      .replaceAll(' ', '-')
    const count = counts.get(base) ?? 0
    anchors.add(count === 0 ? base : `${base}-${count}`)
    counts.set(base, count + 1)
  }
  return text.replace(/\(#([\w-]+?)-\d+\)/g, (link, base) => (anchors.has(link.slice(2, -1)) ? link : `(#${base})`))
}
