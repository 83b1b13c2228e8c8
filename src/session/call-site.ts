/** Finds the place in the application that made a call, for messages in development. */
import { dirname, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Matches this package in a stack that a source map has rewritten. */
const BUNDLED = /node_modules[\\/]coatcheck[\\/]/

/**
 * Captures the stack now and reads it later, because only a failure needs the text.
 * @returns file and line, relative to the working directory; `null` if the stack names no file of the application
 */
export function callSite(): () => string | null {
  const captured = new Error()
  return () => {
    try {
      // Bundlers take `new URL('..', import.meta.url)` for a file to include.
      const own = dirname(dirname(fileURLToPath(import.meta.url))) + sep
      return siteIn(captured.stack ?? '', own, process.cwd())
    } catch {
      // A bundler, or a deleted working directory: the message then names no place.
      return null
    }
  }
}

export function siteIn(stack: string, own: string, folder: string): string | null {
  for (const line of stack.split('\n').slice(1)) {
    const [, place = '', number = ''] = /^\s+at (?:.*\()?(.+?):(\d+):\d+\)?$/.exec(line) ?? []
    const file = place.startsWith('file:') ? fileURLToPath(place) : place
    if (file === '' || file.startsWith('node:') || file.startsWith(own) || BUNDLED.test(file)) continue
    const inside = relative(folder, file)
    return `${inside.startsWith('..') || inside === '' ? file : inside.split(sep).join('/')}:${number}`
  }
  return null
}
