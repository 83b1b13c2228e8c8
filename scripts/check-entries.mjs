/**
 * The entries of the package say the same thing in four places: the `exports` of package.json, the sources, what the build
 * made of them, and the imports that README and docs show. This compares all four and lists every difference.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'

const root = resolve(import.meta.dirname, '..')
const { name, exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
/** Conditions of bundlers for runtimes without Node. */
const NO_NODE = ['edge-light', 'workerd', 'browser']
const problems = [...undeclared(), ...missingFiles(), ...unknownImports()]

for (const problem of problems) console.error(problem)
console.log(`${Object.keys(exports).length} entries`)
process.exitCode = problems.length > 0 ? 1 : 0

/** Each entry is one source, named alike in `src/` and `dist/`, and the conditions stand in the order that resolvers need. */
function missingFiles() {
  return Object.entries(exports).flatMap(([entry, target]) => {
    if (typeof target === 'string') return existsSync(join(root, target)) ? [] : [`${entry}: ${target} is not there`]
    const source = target['coatcheck-source']
    const built = source.replace(/^\.\/src\//, './dist/').replace(/\.ts$/, '')
    // Where there is no Node, an entry says so instead of failing in its imports.
    const edge = 'edge-light' in target ? Object.fromEntries(NO_NODE.map((name) => [name, './dist/app/edge.js'])) : {}
    const expected = { 'coatcheck-source': source, types: `${built}.d.ts`, ...edge, default: `${built}.js` }
    const same = JSON.stringify(target) === JSON.stringify(expected)
    return [
      ...(same ? [] : [`${entry}: package.json should say ${JSON.stringify(expected)}`]),
      ...Object.values(expected)
        .filter((file) => !existsSync(join(root, file)))
        .map((file) => `${entry}: ${file} is not there`),
    ]
  })
}

/** Each file of `src/entries/` is exported. */
function undeclared() {
  const declared = new Set(Object.values(exports).map((target) => target['coatcheck-source']))
  return sourcesIn('src/entries')
    .filter((file) => !declared.has(file))
    .map((file) => `${file} is no entry: export it or move it`)
}

function sourcesIn(folder) {
  if (!existsSync(join(root, folder))) return []
  const files = readdirSync(join(root, folder)).filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
  return files.map((file) => `./${folder}/${file}`)
}

/** What the documentation tells people to import has to exist. */
function unknownImports() {
  const docs = existsSync(join(root, 'docs'))
    ? readdirSync(join(root, 'docs'), { recursive: true }).map((f) => join('docs', f))
    : []
  const pages = ['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md', 'SECURITY.md', ...docs].filter((f) =>
    f.endsWith('.md'),
  )
  return pages.flatMap((page) => {
    const text = existsSync(join(root, page)) ? readFileSync(join(root, page), 'utf8') : ''
    const imports = [...text.matchAll(/(?:from|import|require\()\s*\(?['"]([^'"]+)['"]/g)].map((match) => match[1])
    const ours = imports.filter((specifier) => specifier === name || specifier.startsWith(`${name}/`))
    const unknown = ours.filter((specifier) => !(`.${specifier.slice(name.length)}` in exports))
    return unknown.map((specifier) => `${page} imports '${specifier}', which is no entry`)
  })
}
