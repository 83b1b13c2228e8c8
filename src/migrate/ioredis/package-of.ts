/** The package in `node_modules` that a file belongs to; null for a file of the project. */
export function packageOf(fileName: string): string | null {
  const at = fileName.lastIndexOf('/node_modules/')
  if (at < 0) return null
  const [first = '', second = ''] = fileName.slice(at + '/node_modules/'.length).split('/')
  // Types of a package are published under a name of their own.
  if (first === '@types' && second !== 'node')
    return second.startsWith('express-serve-static') ? 'express' : second.replace(/^(.+)__/, '@$1/')
  return first.startsWith('@') ? `${first}/${second}` : first
}
