/**
 * Says in one line that this Node is too old. The first import of every entry and of the command line, so that it runs before
 * any module that needs more. Its syntax is that of the first Node with ES modules. What an old Node refuses before it runs a
 * line, a named import that `node:` modules do not have there, no module behind an entry may use.
 */
// eslint-disable-next-line @typescript-eslint/no-unnecessary-condition -- runtimes without Node have no `versions`
const running = typeof process === 'object' && process.versions ? process.versions.node : undefined
if (typeof running === 'string' && isTooOld(running)) {
  const error = new Error(
    'coatcheck needs Node 20.19 or later, and this is Node ' + running + '. Install a newer Node: https://nodejs.org',
  )
  // Where this line stands helps no reader.
  error.stack = error.message
  throw error
}

function isTooOld(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  return major < 20 || (major === 20 && minor < 19)
}
