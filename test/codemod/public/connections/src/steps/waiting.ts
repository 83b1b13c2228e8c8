import { Redis } from 'ioredis'

const port = Number(process.env.REDIS_PORT)
const closedPort = Number(process.env.REDIS_CLOSED_PORT)

const outcomeOf = (promise: Promise<unknown>) =>
  promise.then(
    (value) => ({ value }),
    (error: Error) => ({ name: error.name, message: error.message }),
  )

export async function timesOutInTheQueue() {
  const client = new Redis({ port: closedPort, commandTimeout: 30, maxRetriesPerRequest: null, retryStrategy: () => 5 })
  client.on('error', () => undefined)
  const outcome = await outcomeOf(client.set('k', 'v'))
  client.disconnect()
  return outcome
}

export async function sendsWhatTimedOutInTheQueue(redis: Redis) {
  // The name is resolved after the time is over.
  const client = new Redis({ port, lazyConnect: true, commandTimeout: 1 })
  client.on('error', () => undefined)
  const outcome = outcomeOf(client.set('late', 'v'))
  const until = performance.now() + 20
  while (performance.now() < until);
  const settled = await outcome
  if (client.status !== 'ready') await new Promise((resolve) => client.once('ready', resolve))
  await outcomeOf(client.ping())
  client.disconnect()
  return { settled, stored: await redis.get('late') }
}

export async function quitsUnused() {
  const client = new Redis({ port, lazyConnect: true })
  const events: string[] = []
  for (const event of ['connect', 'ready', 'error', 'close', 'end'] as const) client.on(event, () => events.push(event))
  const before = client.status
  const quit = client.quit()
  const during = client.status
  const reply = await quit
  const after = client.status
  if (client.status !== 'end') await new Promise((resolve) => client.once('end', resolve))
  const again = await outcomeOf(client.quit())
  const command = await outcomeOf(client.get('k'))
  return { before, during, reply, after, events, last: client.status, again, command }
}

export async function disconnectsUnused() {
  const client = new Redis({ port, lazyConnect: true })
  const events: string[] = []
  for (const event of ['connect', 'ready', 'error', 'close', 'end'] as const) client.on(event, () => events.push(event))
  client.disconnect()
  const after = client.status
  await new Promise((resolve) => setImmediate(resolve))
  return { after, events, last: client.status, command: await outcomeOf(client.get('k')) }
}
