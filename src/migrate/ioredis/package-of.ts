/** The package in `node_modules` that a file belongs to; null for a file of the project. */
export function packageOf(fileName: string): string | null {
  const at = fileName.lastIndexOf('/node_modules/')
  if (at < 0) return null
  const [first = '', second = ''] = fileName.slice(at + '/node_modules/'.length).split('/')
  return first.startsWith('@') ? `${first}/${second}` : first
}
