/**
 * An Express application on the built package, in a process of its own: what several instances behind a load balancer are.
 * Settings come from the environment; prints `listening <port>`; ends when its standard input does, so with its parent.
 */
import express from 'express'
import { coatcheck } from 'coatcheck'
import { expressAuth } from 'coatcheck/express'
import { redisStore } from 'coatcheck/redis'

const { REDIS_URL, COATCHECK_KEYS, STORE = '{}' } = process.env
const auth = coatcheck({
  store: redisStore({ url: REDIS_URL, ...JSON.parse(STORE) }),
  keys: COATCHECK_KEYS,
  baseUrl: 'https://race.example',
})
await auth.ready()
const web = expressAuth(auth)
const app = express()
app.use(web)
app.post('/set/:key', async (request, response) => {
  const session = await web.getSession(request)
  await session.set(request.params.key, true)
  response.json({})
})
app.post('/count', async (request, response) => {
  const session = await web.getSession(request)
  await session.update((draft) => {
    draft.count = (draft.count ?? 0) + 1
  })
  response.json({})
})
app.get('/data', async (request, response) => {
  const session = await web.getSession(request)
  response.json({ id: session.id, data: session.data })
})
app.use(web.errorHandler)

const server = app.listen(0, '127.0.0.1', () => process.stdout.write(`listening ${server.address().port}\n`))
process.stdin.resume().on('end', () => process.exit())
