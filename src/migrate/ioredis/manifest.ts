/** package.json: `redis` comes, and ioredis goes when no file of the package names it any more. */
import { parseJson } from '../../core/json.ts'

/** Versions that the generated code was tested with. */
const VERSIONS = { 5: '^5.12.1', 6: '^6.3.1' } as const

/** @param usesIoredis true if a file of the package still imports or mocks ioredis */
export function migrateManifest(text: string, target: 5 | 6, usesIoredis: boolean): string {
  // One entry on a line is the usual form; any other is written anew.
  const spread = /^[ \t]*"ioredis"\s*:/m.test(text) || !/"ioredis"\s*:/.test(text) ? text : spreadOut(text)
  const line = /^([ \t]*)"ioredis"\s*:\s*"[^"]*"(,?)[ \t]*\r?\n/m.exec(spread)
  const hasRedis = /^[ \t]*"redis"\s*:/m.test(spread)
  const withRedis = hasRedis ? spread : line ? addRedis(spread, line, target) : addDependency(spread, target)
  if (usesIoredis || LOAD_IOREDIS.test(text)) return withRedis
  return ['ioredis', '@types/ioredis'].reduce(removeDependency, withRedis)
}

/** For a package that got its client from another package of the workspace. */
function addDependency(text: string, target: 5 | 6): string {
  try {
    const manifest = parseJson(text) as Record<string, unknown>
    const dependencies = { ...(manifest['dependencies'] as object | undefined), redis: VERSIONS[target] }
    const indent = /^[ \t]+(?=")/m.exec(text)?.[0] ?? 2
    return `${JSON.stringify({ ...manifest, dependencies }, null, indent)}\n`
  } catch {
    return text
  }
}

function spreadOut(text: string): string {
  try {
    return `${JSON.stringify(parseJson(text), null, 2)}\n`
  } catch {
    return text
  }
}

/** Into the list that has ioredis: in the order of the alphabet if the list has it, else below ioredis. */
function addRedis(text: string, { index }: RegExpExecArray, target: 5 | 6): string {
  const eol = text.includes('\r\n') ? '\r\n' : '\n'
  const lines = text.split(eol)
  const at = text.slice(0, index).split(eol).length - 1
  let from = at
  while (nameIn(lines[from - 1]) !== null) from -= 1
  let to = at
  while (nameIn(lines[to + 1]) !== null) to += 1
  const names = lines.slice(from, to + 1).map((line) => nameIn(line) ?? '')
  const isSorted = names.every((name, place) => place === 0 || (names[place - 1] ?? '') < name)
  const before = isSorted ? names.findIndex((name) => name > 'redis') : at - from + 1
  const place = from + (before === -1 ? names.length : before)
  const indent = /^[ \t]*/.exec(lines[at] ?? '')?.[0] ?? ''
  const isLast = place > to
  if (isLast) lines[to] = `${(lines[to] ?? '').trimEnd()},`
  lines.splice(place, 0, `${indent}"redis": "${VERSIONS[target]}"${isLast ? '' : ','}`)
  return lines.join(eol)
}

/** The name of an entry that stands on a line of its own. */
function nameIn(line: string | undefined): string | null {
  return /^[ \t]*"([^"]+)"\s*:\s*"[^"]*",?[ \t]*$/.exec(line ?? '')?.[1] ?? null
}

/** Packages that load the ioredis of the application. */
const LOAD_IOREDIS =
  /"(?:@nestjs-modules\/ioredis|@liaoliaots\/nestjs-redis|@songkeys\/nestjs-redis|ioredis-mock|redlock)"\s*:|"bullmq"\s*:\s*"\D*[6-9]\./

function removeDependency(text: string, name: string): string {
  const escaped = name.replace(/[/@]/g, '\\$&')
  const inMiddle = new RegExp(`^[ \\t]*"${escaped}"\\s*:\\s*"[^"]*",[ \\t]*\\r?\\n`, 'gm')
  const atEnd = new RegExp(`,?[ \\t]*\\r?\\n[ \\t]*"${escaped}"\\s*:\\s*"[^"]*"(?=[ \\t]*\\r?\\n[ \\t]*\\})`, 'g')
  return text
    .replace(inMiddle, '')
    .replace(atEnd, '')
    .replace(/("(?:dev|optional|peer)?[dD]ependencies"\s*:\s*\{)\s+\}/g, '$1}')
}
