/**
 * Coatcheck on the built package, in a process of its own that does what its parent says with sessions: ends them one by one and
 * reports each, reads and writes without a pause, and shuts down as a server does on SIGTERM. Settings come from the
 * environment; ends with its parent.
 */
import { coatcheck, isCoatcheckError } from 'coatcheck'
import { redisStore } from 'coatcheck/redis'

const { REDIS_URL, COATCHECK_KEYS, STORE = '{}' } = process.env
const auth = coatcheck({
  store: redisStore({ url: REDIS_URL, ...JSON.parse(STORE) }),
  keys: COATCHECK_KEYS,
  baseUrl: 'https://sessions.example',
})
// A machine on which many processes start at once may take longer for it than a connection may.
await auth.ready().catch(() => auth.ready())

const codeOf = (error) => (isCoatcheckError(error) ? error.code : String(error))
let isEnding = false
let running = []

const operations = {
  create: async ({ users, data }) =>
    Promise.all(
      users.map(async (userId) => {
        const { ticket, session } = await auth.sessions.create({ userId, data })
        return { ticket, id: session.id }
      }),
    ),
  find: async ({ tickets }) =>
    Promise.all(
      tickets.map(async (ticket) => {
        const { session, reason } = await auth.sessions.find(ticket)
        return session ? { user: session.user?.id, data: session.data } : { reason }
      }),
    ),
  update: async ({ ticket, data }) => {
    await auth.sessions.update(ticket, (draft) => void Object.assign(draft, data))
  },
  /** All at once; each is reported when it is answered. */
  end: ({ ids }) =>
    Promise.all(
      ids.map(async (id) => {
        const ended = await auth.sessions.revoke(id).then(
          ({ durable }) => ({ durable }),
          (error) => ({ code: codeOf(error) }),
        )
        process.send({ event: { id, ...ended, atMs: performance.timeOrigin + performance.now() } })
      }),
    ).then(() => undefined),
  /** One caller for each ticket, until SIGTERM. */
  load: async ({ tickets }) => {
    running = tickets.map(async (ticket) => {
      while (!isEnding) {
        const startMs = performance.now()
        const code = await auth.sessions
          .update(ticket, (draft) => {
            draft.count = (draft.count ?? 0) + 1
          })
          .then(() => 'ok', codeOf)
        process.send({ event: { ticket, code, ms: performance.now() - startMs } })
      }
    })
  },
}

process.on('SIGTERM', async () => {
  isEnding = true
  const startMs = performance.now()
  await auth.close()
  const closedMs = performance.now() - startMs
  await Promise.all(running)
  process.send({ event: { closedMs, endedMs: performance.now() - startMs } }, () => process.exit())
})
process.on('message', ({ id, operation, input }) => {
  operations[operation](input).then(
    (result) => process.send({ id, result }),
    (error) => process.send({ id, error: codeOf(error) }),
  )
})
process.on('disconnect', () => process.exit())
process.send({ id: 0 })
