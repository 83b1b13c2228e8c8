/**
 * Adds to the lock file what npm left out of it: the binaries of other platforms.
 *
 * Some tools ship one package per platform as exactly pinned optional dependencies. When the registry that the lock file
 * was made against does not carry all of them, npm writes the lock without those, and `npm ci` then refuses the file
 * ("Missing: … from lock file"). An entry that says which platform it is for makes `npm ci` pass everywhere, and fetches
 * nothing on machines of other platforms. Run by `npm run lock` after every change of dependencies; safe to repeat.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'

const OPERATING_SYSTEMS = new Set('aix android darwin freebsd linux netbsd openbsd openharmony sunos win32'.split(' '))
const PROCESSORS = new Set('arm arm64 ia32 loong64 mips64el ppc64 riscv64 s390x x64'.split(' '))

/** The platform that a package's name speaks of, or `null` when it names none or several operating systems. */
export function platformOf(name) {
  const words = name.split(/[/\-.]/)
  const os = words.filter((word) => OPERATING_SYSTEMS.has(word))
  if (os.length !== 1) return null
  const cpu = words.filter((word) => PROCESSORS.has(word))
  const libc = words.flatMap((word) => (word.startsWith('musl') ? ['musl'] : word.startsWith('gnu') ? ['glibc'] : []))
  return { os, ...(cpu.length > 0 && { cpu }), ...(os[0] === 'linux' && libc.length > 0 && { libc }) }
}

/** Returns the lock with the missing entries in place, and their names. */
export function complete(lock) {
  const packages = { ...lock.packages }
  const added = []
  for (const [path, entry] of Object.entries(lock.packages)) {
    for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
      const place = `node_modules/${name}`
      const platform = platformOf(name)
      if (packages[place] || packages[`${path}/${place}`] || !platform || !/^\d/.test(version)) continue
      packages[place] = { version, ...(entry.dev && { dev: true }), optional: true, ...platform }
      added.push(`${name}@${version}`)
    }
  }
  const inOrder = Object.entries(packages).sort(([a], [b]) => a.localeCompare(b, 'en'))
  return { lock: { ...lock, packages: Object.fromEntries(inOrder) }, added }
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const file = 'package-lock.json'
  const { lock, added } = complete(JSON.parse(readFileSync(file, 'utf8')))
  if (added.length > 0) writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`)
  console.log(`${file}: ${added.length} platform packages added`)
}
