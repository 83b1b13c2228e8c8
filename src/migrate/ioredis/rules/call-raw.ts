/** `redis.call('NAME', …)`: any command by its name. */
import { ts } from 'ts-morph'
import type { CallRule } from '../rule.ts'

export const callRawRule: CallRule = {
  name: 'call',
  title: 'call and callBuffer',
  why: 'sendCommand of node-redis takes only texts, in one array. For a cluster, it takes the key as its first argument.',
  members: ['call', 'callBuffer'],
  examples: [
    {
      before: "const reply = await redis.call('JSON.GET', key, '$')",
      after: "const reply = await command(redis, 'JSON.GET', key, '$')",
    },
    {
      before: 'export const sendCommand = (...values: string[]) => redis.call(...values)',
      after:
        'export const sendCommand = (...values: string[]) => command(redis, String(values[0]), ...values.slice(1))',
    },
  ],
  apply: (call) => {
    const [name] = call.args
    if (name && ts.isSpreadElement(name) && ts.isIdentifier(name.expression) && call.args.length === 1) {
      // `sendCommand: (...args) => redis.call(...args)`, as packages for rate limits want it.
      const list = name.expression.text
      call.file.edits.replace(name.getStart(), name.getEnd(), `String(${list}[0]), ...${list}.slice(1)`)
      if (call.toHelper('call', call.name === 'call' ? 'command' : 'commandBuffer'))
        call.file.record(call.node, 'call', 'helper')
      return true
    }
    if (!name || ts.isSpreadElement(name) || call.proof(0) !== 'text') {
      return call.mark('call', 'call-name', "Write the command's name as text: command(redis, 'NAME', …).")
    }
    const type = call.isUntyped ? call.replyTypeArgument() : ''
    if (call.toHelper('call', call.name === 'call' ? 'command' : 'commandBuffer', [], type))
      call.file.record(call.node, 'call', 'helper')
    return true
  },
}
