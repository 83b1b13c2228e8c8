/** `scanStream` and its relatives: a Readable that emits one array for each page. */
import { ts } from 'ts-morph'
import type { Call } from '../call.ts'
import type { CallRule } from '../rule.ts'

const NAMES = ['scan', 'sscan', 'hscan', 'zscan']

export const scanStreamsRule: CallRule = {
  name: 'scan-streams',
  title: 'Scan streams',
  why: 'node-redis returns async iterators in place of streams. They emit no events.',
  members: NAMES.flatMap((name) => [`${name}Stream`, `${name}BufferStream`]),
  examples: [
    {
      before: "for await (const keys of redis.scanStream({ match: 'user:*' })) console.log(keys)",
      after: "for await (const keys of scanStream(redis, { match: 'user:*' })) console.log(keys)",
    },
  ],
  apply: (call) => {
    if (call.name.endsWith('BufferStream')) return applyWithBuffers(call)
    if (call.toHelper('scan-streams', call.name)) call.file.record(call.node, 'scan-streams', 'helper')
    return true
  },
}

/** The options must be a literal, or absent, to get `asBuffers`. */
function applyWithBuffers(call: Call): boolean {
  const optionsAt = call.name === 'scanBufferStream' ? 0 : 1
  const options = call.args[optionsAt]
  if (call.hasSpread || (options && !ts.isObjectLiteralExpression(options)) || call.args.length < optionsAt) {
    return call.mark(
      'scan-streams',
      'scan-buffer-stream',
      'Call the stream without "Buffer" in its name, with the option asBuffers: true.',
    )
  }
  const { edits } = call.file
  if (!call.toHelper('scan-streams', call.name.replace('Buffer', ''))) return true
  if (options)
    edits.replace(
      options.getStart(),
      options.getStart() + 1,
      options.properties.length > 0 ? '{ asBuffers: true,' : '{ asBuffers: true ',
    )
  else
    edits.close(
      call.node.getEnd() - 1,
      optionsAt === call.args.length && optionsAt > 0 ? ', { asBuffers: true }' : ', { asBuffers: true }',
      1,
    )
  call.file.record(call.node, 'scan-streams', 'helper')
  return true
}
