/**
 * What the package brings with it, from `package-lock.json` alone: a software bill of materials (CycloneDX), licenses, and
 * known vulnerabilities.
 *
 *   node scripts/supply-chain.mjs [--lock <file>]   the check: licenses, integrity, known vulnerabilities
 *   node scripts/supply-chain.mjs --sbom            writes sbom.cdx.json, which is part of the package
 *
 * npm makes the bill and asks its registry for vulnerabilities. Where the registry cannot be asked, a line that begins with
 * `note:` says so, and the check does not fail for it.
 */
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { installedPackages, productionLock } from './lock-packages.mjs'

const root = resolve(import.meta.dirname, '..')
/** Licenses under which a package may come with Coatcheck. */
const PRODUCTION_LICENSES = new Set([
  'MIT',
  'ISC',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'Apache-2.0',
  '0BSD',
  'BlueOak-1.0.0',
])
/** For what tests and tools use: also licenses that ask something of those who pass the code on. */
const DEVELOPMENT_LICENSES = new Set([
  ...PRODUCTION_LICENSES,
  'MPL-2.0',
  'LGPL-3.0-or-later',
  'Python-2.0',
  'CC-BY-4.0',
  'Zlib',
])
const AUDIT_TIMEOUT_MS = 60_000

const { values: flags } = parseArgs({
  options: { lock: { type: 'string' }, sbom: { type: 'boolean', default: false } },
})
const lock = JSON.parse(readFileSync(flags.lock ?? join(root, 'package-lock.json'), 'utf8'))
const production = productionLock(lock)
const place = mkdtempSync(join(tmpdir(), 'coatcheck-supply-'))
// npm reads a folder; in the repository's own it would also see the workspaces and what is installed. The bill has its name.
const folder = join(place, production.name)
try {
  mkdirSync(folder)
  writeFileSync(join(folder, 'package.json'), JSON.stringify(production.packages['']))
  writeFileSync(join(folder, 'package-lock.json'), JSON.stringify(production))
  if (flags.sbom) writeBill()
  else process.exitCode = check() ? 0 : 1
} finally {
  rmSync(place, { recursive: true, force: true })
}

function writeBill() {
  const { status, stdout, stderr } = npm(
    'sbom',
    '--package-lock-only',
    '--sbom-format=cyclonedx',
    '--sbom-type=library',
  )
  if (status !== 0) throw new Error(`npm sbom failed: ${stderr || stdout}`)
  const { serialNumber: _serial, metadata, ...bill } = JSON.parse(stdout)
  // The same lock file gives the same bill: nothing in it says when it was written.
  const { timestamp: _time, ...facts } = metadata
  writeFileSync(join(root, 'sbom.cdx.json'), `${JSON.stringify({ ...bill, metadata: facts }, null, 2)}\n`)
}

function check() {
  const shipped = installedPackages(production)
  const shippedPaths = new Set(shipped.map(({ path }) => path))
  const problems = [
    ...shipped.flatMap((entry) => licenseProblem(entry, PRODUCTION_LICENSES)),
    ...installedPackages(lock)
      .filter(({ path }) => !shippedPaths.has(path))
      .flatMap((entry) => licenseProblem(entry, DEVELOPMENT_LICENSES)),
    ...Object.entries(production.packages).flatMap(([path, { integrity }]) =>
      path === '' || integrity ? [] : [`${path} has no integrity hash in package-lock.json.`],
    ),
    ...knownVulnerabilities(),
  ]
  for (const problem of problems) console.log(problem)
  return problems.length === 0
}

/** The platform packages that `complete-lock.mjs` adds are not installed here, and the lock says no license of them. */
function licenseProblem({ path, name, version, license }, allowed) {
  const isPlatformOnly = license === undefined && lock.packages[path].os !== undefined
  if (isPlatformOnly || isAllowed(license, allowed)) return []
  return [`${name}@${version}: license ${license ?? 'unknown'} is not in the list of scripts/supply-chain.mjs.`]
}

/** An SPDX expression: one of an OR, all of an AND. */
function isAllowed(license, allowed) {
  if (typeof license !== 'string') return false
  const alternatives = license.replace(/[()]/g, '').split(' OR ')
  return alternatives.some((terms) => terms.split(' AND ').every((term) => allowed.has(term.trim())))
}

/** Those of what the package brings with it. Development packages run on no user's machine. */
function knownVulnerabilities() {
  const { status, stdout } = npm('audit', '--package-lock-only', '--json', '--fetch-retries=0')
  const { vulnerabilities, message } = parsed(stdout)
  if (!vulnerabilities) {
    console.log(`note: known vulnerabilities were not checked, since the registry gave no answer: ${message ?? status}`)
    return []
  }
  return Object.values(vulnerabilities).map(
    ({ name, severity, via }) => `${name}: ${severity}, ${via.map((cause) => cause.url ?? cause).join(', ')}`,
  )
}

function parsed(text) {
  try {
    return JSON.parse(text)
  } catch {
    return {}
  }
}

function npm(...args) {
  return spawnSync('npm', args, { cwd: folder, encoding: 'utf8', timeout: AUDIT_TIMEOUT_MS })
}
