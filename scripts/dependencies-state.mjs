/**
 * Answers, in its exit code, whether `node_modules` is what `package-lock.json` asks for: 0 it is, 10 it is not,
 * 11 this Node is too old. Runs before anything is installed, so it uses nothing but Node itself, and no syntax that an
 * old Node cannot read. Compares with the record that npm leaves in `node_modules/.package-lock.json`.
 */
import { readFileSync } from 'node:fs'

const MATCHES = 0
const DIFFERS = 10
const NODE_TOO_OLD = 11

const [major, minor] = process.versions.node.split('.').map(Number)
process.exit(major < 20 || (major === 20 && minor < 19) ? NODE_TOO_OLD : state())

function state() {
  const wanted = packagesOf('package-lock.json')
  const installed = packagesOf('node_modules/.package-lock.json')
  if (!wanted || !installed) return DIFFERS
  for (const [path, entry] of Object.entries(wanted)) {
    // The root and the workspaces are not installed; a link has no version; npm leaves out what is for other platforms.
    if (!path.includes('node_modules/') || entry.link || entry.optional) continue
    const found = installed[path]
    if (!found || found.version !== entry.version || found.integrity !== entry.integrity) return DIFFERS
  }
  return MATCHES
}

function packagesOf(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8')).packages
  } catch {
    return null
  }
}
