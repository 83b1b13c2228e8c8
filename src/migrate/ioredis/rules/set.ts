/** `set` with its options: words in ioredis, an object in node-redis. */
import { ts } from 'ts-morph'
import type { Call } from '../call.ts'
import type { CallRule } from '../rule.ts'

const EXPIRATIONS = new Set(['EX', 'PX', 'EXAT', 'PXAT'])
const CONDITIONS = new Set(['NX', 'XX'])

export const setRule: CallRule = {
  name: 'set',
  title: 'set and its options',
  why: 'node-redis ignores words after the value. It would store the key without its time to live, and report no error.',
  members: ['set'],
  examples: [
    { before: 'await redis.set(key, value)', after: 'await redis.set(key, value)' },
    {
      before: "await redis.set(key, value, 'EX', 60)",
      after: "await redis.set(key, value, { expiration: { type: 'EX', value: 60 } })",
    },
    {
      before: "if (await redis.set(key, value, 'PX', 500, 'NX')) console.log('locked')",
      after:
        "if (await redis.set(key, value, { expiration: { type: 'PX', value: 500 }, condition: 'NX' })) console.log('locked')",
    },
    {
      before: "export const save = (): Promise<'OK'> => redis.set(key, value)",
      after: "export const save = (): Promise<'OK'> => command<'OK'>(redis, 'set', key, value)",
    },
  ],
  apply: (call) => {
    if (call.kind !== 'client' || call.hasCallback || call.hasSpread) return false
    if (call.args.length < 2 || !(call.isUnused || call.isTested)) return false
    if (!isScalar(call, 0) || !isScalar(call, 1)) return false
    const [, , third] = call.args
    if (third && ts.isObjectLiteralExpression(third)) {
      // An earlier run wrote this object. The construction of the client has a mark.
      call.file.record(call.node, 'set', 'rewritten')
      return true
    }
    const options = optionsOf(call)
    if (!options) return false
    const wasHelper = call.proof(0) === 'scalar' || call.proof(1) === 'scalar'
    call.rename('set')
    call.convertToText(0)
    if (call.proof(1) !== 'number') call.convertToText(1)
    for (const option of options) option()
    call.file.record(call.node, 'set', wasHelper ? 'helper' : 'rewritten')
    return true
  },
}

function isScalar(call: Call, at: number): boolean {
  return ['text', 'number', 'scalar'].includes(call.proof(at))
}

/** Edits that turn the words into one object; null for words that are not literals, or that have another meaning. */
function optionsOf(call: Call): (() => void)[] | null {
  const { edits } = call.file
  const steps: (() => void)[] = []
  const last = call.args.at(-1)
  let hasExpiration = false
  let hasCondition = false
  for (let at = 2; at < call.args.length; at += 1) {
    const word = call.args[at]
    if (!word || !ts.isStringLiteral(word)) return null
    const text = word.text.toUpperCase()
    const lead = at === 2 ? '{ ' : ''
    if (EXPIRATIONS.has(text) && !hasExpiration) {
      const value = call.args[at + 1]
      if (!value || call.proof(at + 1) !== 'number') return null
      hasExpiration = true
      const span = value.getEnd() - value.getStart()
      steps.push(() => {
        edits.replace(
          word.getStart(),
          value.getStart(),
          `${lead}expiration: { type: ${call.file.quoted(text)}, value: `,
        )
        edits.close(value.getEnd(), ' }', span + 1)
      })
      at += 1
    } else if (CONDITIONS.has(text) && !hasCondition) {
      hasCondition = true
      steps.push(() => edits.replace(word.getStart(), word.getEnd(), `${lead}condition: ${call.file.quoted(text)}`))
    } else if (text === 'KEEPTTL' && !hasExpiration) {
      hasExpiration = true
      steps.push(() =>
        edits.replace(word.getStart(), word.getEnd(), `${lead}expiration: ${call.file.quoted('KEEPTTL')}`),
      )
    } else return null
  }
  if (last && steps.length > 0) steps.push(() => edits.close(last.getEnd(), ' }', last.getEnd() - call.node.getStart()))
  return steps
}
