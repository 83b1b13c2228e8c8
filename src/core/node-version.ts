/**
 * Reports in one line that this Node is too old. Every entry and the command line import it first, so that it runs before modules
 * that need a newer Node. It uses the syntax of the first Node with ES modules. No module behind an entry may import a name that an
 * old `node:` module lacks, because Node then fails before it runs this file.
 */
// eslint-disable-next-line @typescript-eslint/no-unnecessary-condition -- runtimes without Node have no `versions`
const running = typeof process === 'object' && process.versions ? process.versions.node : undefined
if (typeof running === 'string' && isTooOld(running)) {
  const error = new Error(
    'coatcheck needs Node 20.19 or later, and this is Node ' + running + '. Install a newer Node: https://nodejs.org',
  )
  // The position of this line does not help the reader.
  error.stack = error.message
  throw error
}

function isTooOld(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  return major < 20 || (major === 20 && minor < 19)
}
