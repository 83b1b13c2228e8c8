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
  if (usesIoredis) return withRedis
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

function addRedis(text: string, [, indent = '  ']: RegExpExecArray, target: 5 | 6): string {
  return text.replace(/^[ \t]*"ioredis"\s*:\s*"[^"]*"(,?)[ \t]*(\r?\n)/m, (found, comma: string, eol: string) => {
    const own = comma === '' ? found.replace(/"([ \t]*\r?\n)$/, '",$1') : found
    return `${own}${indent}"redis": "${VERSIONS[target]}"${comma}${eol}`
  })
}

function removeDependency(text: string, name: string): string {
  const escaped = name.replace(/[/@]/g, '\\$&')
  const inMiddle = new RegExp(`^[ \\t]*"${escaped}"\\s*:\\s*"[^"]*",[ \\t]*\\r?\\n`, 'gm')
  const atEnd = new RegExp(`,?[ \\t]*\\r?\\n[ \\t]*"${escaped}"\\s*:\\s*"[^"]*"(?=[ \\t]*\\r?\\n[ \\t]*\\})`, 'g')
  return text.replace(inMiddle, '').replace(atEnd, '')
}
