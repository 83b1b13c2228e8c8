/** A worker of its own process: says over its channel what it handles, and hangs in the middle of one event when it is told to. */
import { consumeEvents } from 'coatcheck/redis'

const { redis, name, hangAfter } = JSON.parse(process.argv[2])
let handled = 0
consumeEvents({
  redis,
  name,
  group: 'mail',
  from: 'oldest',
  pollMs: 20,
  claimAfterMs: 600,
  async handle({ id, name: event, event: { sessionId } }) {
    if (hangAfter !== undefined && handled >= hangAfter) {
      process.send({ hanging: id })
      await new Promise(() => undefined)
    }
    handled++
    process.send({ handled: id, event, sessionId })
  },
})
process.once('disconnect', () => process.exit(0))
