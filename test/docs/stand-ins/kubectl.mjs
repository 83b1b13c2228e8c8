/** Stands in for kubectl in the blocks of the pages: reads the literals of a Secret as kubectl does, and stores nothing. */
const [verb, kind, type, name, ...options] = process.argv.slice(2)
if (`${verb} ${kind} ${type}` !== 'create secret generic' || !/^[a-z][a-z0-9-]*$/.test(name ?? '')) {
  refuse(`not a command that the stand-in knows: ${process.argv.slice(2).join(' ')}`)
}
const literals = new Map()
for (const option of options) {
  const [, key, value] = /^--from-literal=([-._a-zA-Z0-9]+)=([^]+)$/.exec(option) ?? []
  if (key === undefined) refuse(`not a literal with a key and a value: ${option}`)
  if (literals.has(key)) refuse(`twice: ${key}`)
  literals.set(key, value)
}
const keys = literals.get('COATCHECK_KEYS')
if (Buffer.from(keys ?? '', 'base64').length !== 32) refuse('COATCHECK_KEYS is no key of 32 bytes in base64')
if (!URL.canParse(literals.get('REDIS_URL') ?? '')) refuse('REDIS_URL is no address')

function refuse(reason) {
  process.stderr.write(`${reason}\n`)
  process.exit(1)
}
