/** Lua scripts that get a name. */
import { ts } from 'ts-morph'
import type { CallRule } from '../rule.ts'

export const scriptsRule: CallRule = {
  name: 'scripts',
  title: 'defineCommand',
  why: 'node-redis takes scripts only when the code creates the client. The helper keeps the call, and command() runs the script by its name.',
  members: ['defineCommand', 'createBuiltinCommand', 'addBuiltinCommand', 'getBuiltinCommands'],
  examples: [
    {
      before: "redis.defineCommand('echoTwice', { numberOfKeys: 1, lua: 'return {KEYS[1],ARGV[1]}' })",
      after: "defineCommand(redis, 'echoTwice', { numberOfKeys: 1, lua: 'return {KEYS[1],ARGV[1]}' })",
    },
  ],
  apply: (call) => {
    const [name] = call.args
    if (call.name !== 'defineCommand' || !name || !ts.isStringLiteralLike(name)) {
      return call.mark(
        'scripts',
        'dynamic-command',
        'Write the name of the command as a literal, or send it with command(redis, name, …).',
      )
    }
    if (call.toHelper('scripts', 'defineCommand')) call.file.record(call.node, 'scripts', 'helper')
    return true
  },
}
