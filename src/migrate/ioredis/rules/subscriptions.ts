/** Publish and subscribe: messages stay events of the client. */
import type { CallRule } from '../rule.ts'

const HELPERS: Readonly<Record<string, string>> = {
  subscribe: 'subscribeRedis',
  unsubscribe: 'unsubscribeRedis',
  psubscribe: 'psubscribeRedis',
  punsubscribe: 'punsubscribeRedis',
}

export const subscriptionsRule: CallRule = {
  name: 'subscriptions',
  title: 'Subscriptions',
  why: 'node-redis takes a listener for each channel and never emits "message". It would never call a listener of that event.',
  members: [...Object.keys(HELPERS), 'ssubscribe', 'sunsubscribe'],
  examples: [
    {
      before: "await redis.subscribe('news')\nredis.on('message', (channel, message) => console.log(channel, message))",
      after:
        "await subscribeRedis(redis, 'news')\nredis.on('message', (channel, message) => console.log(channel, message))",
    },
  ],
  apply: (call) => {
    const helper = HELPERS[call.name]
    if (helper === undefined || call.kind !== 'client') {
      return call.mark(
        'subscriptions',
        'subscription',
        `Write ${call.name}() by hand: in node-redis, it takes a listener (message, channel) => … for each channel.`,
      )
    }
    if (call.toHelper('subscriptions', helper)) call.file.record(call.node, 'subscriptions', 'helper')
    return true
  },
}
