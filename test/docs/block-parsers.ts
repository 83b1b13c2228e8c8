/**
 * Checks blocks of data. The configuration code resolves environment files, JSON examples are compared with real output, and a
 * parser reads each other format. Each check returns the problem, or `null`.
 */
import { execFile } from 'node:child_process'
import { randomBytes, randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseEnv, promisify } from 'node:util'
import { parseAllDocuments } from 'yaml'
import { resolveConfig } from '../../src/config/resolve.ts'
import { settings } from '../../src/config/settings.ts'
import { entra } from '../../src/oidc/entra.ts'
import { objectsIn, referenceProblem } from './block-manifests.ts'

/** Names of ours in any block, run or not, must be settings that exist. */
const OURS = /\b(?:COATCHECK_[A-Z_]+|REDIS_[A-Z_]+|AZURE_AD_[A-Z_]+)\b/g
/** Error codes, and what `coatcheck explain` takes for one. */
const CODES = /^(?:COATCHECK_)?(?:REDIS_(?:OOM|AUTH|ACL|UNREACHABLE)|COATCHECK_)/
const known = new Set(settings.flatMap(({ env }) => env))

export function unknownSettings(code: string): string | null {
  const names = [
    ...code.matchAll(/^\s*(?:export |- name: |ENV )?["']?((?:COATCHECK|REDIS|AZURE_AD)_[A-Z_]+)["']?(?==|:|$)/gm),
  ]
  const unknown = names.map(([, name = '']) => name).filter((name) => !known.has(name) && !CODES.test(name))
  return unknown.length === 0 ? null : `no setting is named ${[...new Set(unknown)].join(', ')}`
}

/** Every value left open (`…`, or `<…>`) is filled in; everything else must be accepted as it stands. */
export function environmentProblem(code: string): string | null {
  const values = Object.fromEntries(
    Object.entries(parseEnv(code)).map(([name, value]) => [name, isOpen(value) ? fillerFor(name) : value]),
  )
  const unknown = Object.keys(values).filter((name) => OURS.test(name) && !known.has(name))
  OURS.lastIndex = 0
  if (unknown.length > 0) return `no setting is named ${unknown.join(', ')}`
  const providers = Object.keys(values).some((name) => name.startsWith('AZURE_')) ? [entra()] : []
  const defaults = { COATCHECK_BASE_URL: 'https://app.example', REDIS_URL: 'redis://localhost', ...fillers() }
  try {
    resolveConfig({ providers }, { ...defaults, ...values })
    return null
  } catch (error) {
    return (error as Error).message
  }
}

function isOpen(value: string | undefined): boolean {
  return value === undefined || value === '' || /…|\.\.\.|^<.*>$/.test(value)
}

function fillers(): Record<string, string> {
  return { COATCHECK_KEYS: fillerFor('COATCHECK_KEYS') }
}

function fillerFor(name: string): string {
  if (name === 'COATCHECK_KEYS') return randomBytes(32).toString('base64')
  return /TENANT_ID$|CLIENT_ID$/.test(name) ? randomUUID() : randomBytes(12).toString('hex')
}

/** The example shows fields that exist, with values of their kind, and leaves none out. Lists hold at least one such element. */
export function shapeProblem(example: unknown, real: unknown, path = '$'): string | null {
  if (example === null || real === null) return null
  if (Array.isArray(example)) {
    if (!Array.isArray(real)) return `${path} is no list`
    for (const [index, one] of example.entries()) {
      const problems = real.map((other) => shapeProblem(one, other, `${path}[${index}]`))
      if (problems.length > 0 && !problems.includes(null)) return problems[0] ?? null
      if (problems.length === 0) return `${path} is empty, so the example cannot be compared`
    }
    return null
  }
  if (typeof example !== typeof real) return `${path} is a ${typeof real}, not a ${typeof example}`
  if (typeof example !== 'object') return null
  const [shown, there] = [example as Record<string, unknown>, real as Record<string, unknown>]
  const odd = Object.keys(shown).filter((key) => !(key in there))
  const left = Object.keys(there).filter((key) => !(key in shown))
  if (odd.length + left.length > 0) return `${path}: not there: ${odd.join(', ')}; not shown: ${left.join(', ')}`
  return (
    Object.keys(shown)
      .map((key) => shapeProblem(shown[key], there[key], `${path}.${key}`))
      .find((one) => one !== null) ?? null
  )
}

export function jsonProblem(code: string): string | null {
  try {
    JSON.parse(code)
    return null
  } catch (error) {
    return (error as Error).message
  }
}

/** Objects of Kubernetes must also agree with each other. */
export function yamlProblem(code: string): string | null {
  const errors = parseAllDocuments(code).flatMap(({ errors }) => errors)
  return errors[0]?.message ?? referenceProblem(objectsIn(code))
}

export async function promqlProblem(code: string): Promise<string | null> {
  const folder = mkdtempSync(join(tmpdir(), 'coatcheck-promql-'))
  try {
    const rules = code
      .split('\n')
      .filter((line) => line.trim() !== '')
      .map((expr, n) => ({ record: `docs:rule${n}`, expr }))
    writeFileSync(join(folder, 'rules.yml'), JSON.stringify({ groups: [{ name: 'docs', rules }] }))
    await promisify(execFile)('promtool', ['check', 'rules', join(folder, 'rules.yml')])
    return null
  } catch (error) {
    return (error as { stderr: string }).stderr
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
