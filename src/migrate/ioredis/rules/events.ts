/** Listeners of a client's events. The generated `createRedis` emits what ioredis emits, so most listeners stay as they are. */
import { ts } from 'ts-morph'
import type { Call } from '../call.ts'
import type { CallRule } from '../rule.ts'

/** Events that a client of `createRedis` emits as ioredis does. */
const SAME = new Set([
  'connect',
  'ready',
  'error',
  'close',
  'end',
  'message',
  'messageBuffer',
  'pmessage',
  'pmessageBuffer',
])

const LISTEN = ['on', 'once', 'addListener', 'prependListener', 'prependOnceListener']
const STOP = ['off', 'removeListener', 'removeAllListeners']

export const eventsRule: CallRule = {
  name: 'events',
  title: 'Events',
  why: 'node-redis never emits close, wait, connecting, select and monitor, so it would never call a listener of these events. It passes no delay to listeners of reconnecting.',
  members: [
    ...LISTEN,
    ...STOP,
    'emit',
    'silentEmit',
    'listeners',
    'rawListeners',
    'listenerCount',
    'eventNames',
    'setMaxListeners',
    'getMaxListeners',
  ],
  examples: [
    {
      before: "redis.on('error', (error) => console.error(error))",
      after: "redis.on('error', (error) => console.error(error))",
    },
    {
      before: "redis.on('reconnecting', (delay: number) => console.log(delay))",
      after:
        '// coatcheck-codemod-error event: node-redis passes no delay to listeners of "reconnecting". Remove the parameter of the listener.\nredis.on(\'reconnecting\', (delay: number) => console.log(delay))',
    },
    {
      before: "function report(delay: number) {\n  console.log(delay)\n}\nredis.on('reconnecting', report)",
      after:
        'function report(delay: number) {\n  console.log(delay)\n}\n// coatcheck-codemod-error event: node-redis passes no delay to listeners of "reconnecting". Remove the parameter of the listener.\nredis.on(\'reconnecting\', report)',
    },
  ],
  apply: (call) => {
    if (call.name === 'silentEmit') return markEvent(call, 'silentEmit is private to ioredis. Use emit.')
    if (!LISTEN.includes(call.name)) {
      call.file.record(call.node, 'events', 'rewritten')
      return true
    }
    if (call.kind !== 'client') return applyToCluster(call)
    const [event, listener] = call.args
    if (!event) return false
    const names = eventNames(call, event)
    if (!names)
      return markEvent(
        call,
        'The name of the event is not certain. node-redis emits connect, ready, error, end and reconnecting; createRedis adds close.',
      )
    const other = names.find((name) => !SAME.has(name) && name !== 'reconnecting')
    if (other !== undefined) {
      return markEvent(
        call,
        `node-redis never emits "${other}". Use connect, ready, error, close, end or reconnecting.`,
      )
    }
    if (names.includes('reconnecting') && mayTakeArgument(call, listener)) {
      return markEvent(
        call,
        'node-redis passes no delay to listeners of "reconnecting". Remove the parameter of the listener.',
      )
    }
    call.file.record(call.node, 'events', 'rewritten')
    return true
  },
}

function applyToCluster(call: Call): boolean {
  const [event] = call.args
  const names = event ? eventNames(call, event) : null
  if (names?.every((name) => name === 'error' || name === 'ready') === true) {
    call.file.record(call.node, 'events', 'rewritten')
    return true
  }
  return markEvent(call, 'A cluster of node-redis emits error, and node-… events of its own. Check this listener.')
}

function markEvent(call: Call, advice: string): true {
  return call.mark('events', 'event', advice)
}

/** The names that the expression can have, if all are known. */
function eventNames(call: Call, event: ts.Expression): readonly string[] | null {
  const type = call.analysis.kinds.checker.getTypeAtLocation(event)
  const types = type.isUnion() ? type.types : [type]
  return types.every((one) => one.isStringLiteral()) ? types.map((one) => one.value) : null
}

function mayTakeArgument(call: Call, listener: ts.Expression | undefined): boolean {
  if (!listener) return false
  if (ts.isFunctionExpression(listener) || ts.isArrowFunction(listener)) return listener.parameters.length > 0
  const signatures = call.analysis.kinds.checker.getTypeAtLocation(listener).getCallSignatures()
  return signatures.length === 0 || signatures.some(({ parameters }) => parameters.length > 0)
}
