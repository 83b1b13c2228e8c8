/**
 * Stands in for the Azure CLI in the blocks of the pages. It accepts exactly the arguments that the CLI accepts: the table beside
 * this file was written from the help texts of the real one. It asks no service, and answers `--query` with a value of that kind.
 */
import { readFileSync } from 'node:fs'

const { commands, everywhere } = JSON.parse(readFileSync(new URL('az-arguments.json', import.meta.url), 'utf8'))
const ANSWERS = {
  appId: '11111111-1111-1111-1111-111111111111',
  tenantId: '00000000-0000-0000-0000-000000000000',
  password: 'the-value-of-the-secret',
  'oidcIssuerProfile.issuerUrl': 'https://westeurope.oic.prod-aks.azure.com/stand-in/',
}

const words = process.argv.slice(2)
const end = words.findIndex((word) => word.startsWith('-'))
const name = words.slice(0, end < 0 ? words.length : end).join(' ')
const command = commands[name]
if (command === undefined) refuse(`az ${name}: no such command in the table`)

const given = new Map()
let last = null
for (const word of words.slice(name.split(' ').length)) {
  if (/^--?[a-z]/i.test(word)) {
    last = word
    given.set(word, [])
  } else {
    given.get(last).push(word)
  }
}
for (const [option, values] of given) {
  if (!command.options.includes(option) && !command.flags.includes(option) && !everywhere.includes(option)) {
    refuse(`az ${name}: unrecognized argument ${option}`)
  }
  if (command.flags.includes(option) ? values.length > 0 : values.length === 0 || values.includes('')) {
    refuse(`az ${name}: ${option} has ${values.length} values, or an empty one`)
  }
  for (const value of values.filter((one) => /^\s*[{[]/.test(one))) JSON.parse(value)
}
for (const names of command.required) {
  if (!names.some((option) => given.has(option))) refuse(`az ${name}: ${names.join(' or ')} is required`)
}
for (const setting of given.get('--settings') ?? []) {
  if (!/^[A-Z][A-Z_]*=./.test(setting)) refuse(`az ${name}: ${setting} is no NAME=value`)
}

const query = given.get('--query')?.[0]
if (query !== undefined) {
  if (!(query in ANSWERS)) refuse(`az ${name}: the stand-in has no answer to --query ${query}`)
  process.stdout.write(`${ANSWERS[query]}\n`)
}

function refuse(reason) {
  process.stderr.write(`${reason}\n`)
  process.exit(2)
}
