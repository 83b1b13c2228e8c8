import { Redis } from 'ioredis'

const port = Number(process.env.REDIS_PORT)

const outcomeOf = (promise: Promise<unknown>) =>
  promise.then(
    (value) => ({ value }),
    (error: Error) => ({ name: error.name, message: error.message }),
  )

export async function refusesCommands() {
  const sub = new Redis(port)
  await sub.subscribe('a')
  const outcomes = [
    await outcomeOf(sub.get('k')),
    await outcomeOf(sub.publish('a', 'x')),
    await outcomeOf(sub.call('GET', 'k')),
    await outcomeOf(sub.set('k', 'v', 'EX', 10)),
    await outcomeOf(sub.pipeline().get('a').get('b').exec()),
  ]
  sub.disconnect()
  return outcomes
}

export async function refusesATransaction() {
  const sub = new Redis(port)
  await sub.psubscribe('a*')
  const outcome = await outcomeOf(sub.multi().get('a').exec())
  sub.disconnect()
  return outcome
}

export async function pings() {
  const sub = new Redis(port)
  await sub.subscribe('a')
  const outcomes = [await outcomeOf(sub.ping()), await outcomeOf(sub.ping('hello'))]
  await sub.unsubscribe('a')
  outcomes.push(await outcomeOf(sub.ping()))
  sub.disconnect()
  return outcomes
}

export async function acceptsCommandsAgain() {
  const sub = new Redis(port)
  await sub.subscribe('a')
  await sub.psubscribe('b*')
  await sub.unsubscribe('a')
  const refused = await outcomeOf(sub.get('k'))
  await sub.punsubscribe('b*')
  const accepted = await outcomeOf(sub.get('k'))
  sub.disconnect()
  return { refused, accepted }
}

export async function quits() {
  const sub = new Redis(port)
  await sub.subscribe('a')
  return outcomeOf(sub.quit())
}
