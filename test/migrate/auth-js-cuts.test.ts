/**
 * The takeover of a user of the old Auth.js adapter, cut at each of its steps: the process stops, or the store refuses the step, or its reply is
 * lost. Whatever the adapter is asked next, it answers as after the whole takeover, or as if the takeover had not begun. The same old keys are left.
 */
import { expect, it } from 'vitest'
import type { CoatcheckAdapter } from '../../src/app/drop-ins/authjs.ts'
import { authJsCutWorld, Person } from './auth-js-cut-world.ts'
import { Steps } from './dual-read-world.ts'
import { testRedis } from './test-redis.ts'

type Call = (adapter: CoatcheckAdapter, person: Person) => Promise<unknown>

const redis = testRedis()
const world = authJsCutWorld(redis)

const lookups: Readonly<Record<string, Call>> = {
  getUser: (adapter, { id }) => adapter.getUser(id),
  getUserByEmail: (adapter, { email }) => adapter.getUserByEmail(email),
  getUserByAccount: (adapter, { first }) => adapter.getUserByAccount(first),
  'getUserByAccount, last': (adapter, { last }) => adapter.getUserByAccount(last),
  getSessionAndUser: (adapter, { oldToken }) => adapter.getSessionAndUser(oldToken),
  'getSessionAndUser, last': (adapter, { token }) => adapter.getSessionAndUser(token),
}
const changes: Readonly<Record<string, Call>> = {
  unlinkAccount: (adapter, { first }) => adapter.unlinkAccount(first),
  'unlinkAccount, last': (adapter, { last }) => adapter.unlinkAccount(last),
  deleteUser: (adapter, { id }) => adapter.deleteUser(id),
  updateUser: (adapter, { id }) => adapter.updateUser({ id, name: 'A. L.' }),
  'updateUser, email': (adapter, { id, email }) => adapter.updateUser({ id, email: `new-${email}` }),
  linkAccount: (adapter, { id, tag }) =>
    adapter.linkAccount({ type: 'oidc', provider: 'third', providerAccountId: tag, userId: id }) as Promise<unknown>,
  async 'linkAccount, of another'(adapter, { tag, first }) {
    const other = await adapter.createUser({ id: `other-${tag}`, email: `other-${tag}@example.test` })
    return (adapter.linkAccount({ ...first, userId: other.id }) as Promise<unknown>).catch(codeOf)
  },
  createUser: (adapter, { email }) => adapter.createUser({ email }).catch(codeOf),
  // The count leaves out a session that is in the user's set and not stored yet. It ends all the same.
  revokeSessionsByUser: async (adapter, { id }) => (await adapter.revokeSessionsByUser(id)) > 0,
  async 'deleteUser and a new sign-in'(adapter, { id, tag, email, first }) {
    await adapter.deleteUser(id)
    const known = await adapter.getUserByAccount(first)
    const user = await adapter.createUser({ id: `again-${tag}`, email })
    await adapter.linkAccount({ ...first, userId: user.id })
    return { known, user: await adapter.getUserByAccount(first) }
  },
}
const calls = { ...lookups, ...changes }

function codeOf(error: unknown): string {
  return (error as { readonly code: string }).code
}

/** Returns what the adapter finds about a person, and then the old keys that are left. */
async function view(adapter: CoatcheckAdapter, person: Person): Promise<Record<string, string>> {
  const found: Record<string, string> = {}
  for (const [name, lookup] of Object.entries(lookups)) found[name] = person.show(await lookup(adapter, person))
  return { ...found, oldKeys: person.show(await world.oldKeys(person)) }
}

/**
 * For each call: a takeover that `cut` ends, then the call and a view in another process.
 * @returns the results by call; `null`: no takeover had as many steps
 */
async function afterCut(
  processes: readonly { readonly adapter: CoatcheckAdapter; readonly steps: Steps }[],
  next: CoatcheckAdapter,
  start: Call,
  cut: (steps: Steps) => void,
): Promise<Record<string, unknown> | null> {
  const cases = Object.entries(calls).map(([name, call]) => ({ name, call, person: new Person() }))
  const isCut = await Promise.all(
    cases.map(async ({ person }, at) => {
      const { adapter, steps } = processes[at] ?? { adapter: next, steps: new Steps() }
      await world.signIn(person)
      cut(steps)
      return start(adapter, person).then(
        () => false,
        () => true,
      )
    }),
  )
  const results = await Promise.all(cases.map(async ({ call, person }) => person.show(await call(next, person))))
  await world.expireUnfinished()
  const views = await Promise.all(cases.map(({ person }) => view(next, person)))
  if (!isCut.includes(true) && processes.length > 0) return null
  return Object.fromEntries(cases.map(({ name }, at) => [name, { result: results[at], ...views[at] }]))
}

const cuts: Readonly<Record<string, (steps: Steps, step: number) => void>> = {
  'the process stops': (steps, step) => steps.stop(step),
  'the store refuses a step': (steps, step) => steps.lose(step, false),
  'a reply is lost': (steps, step) => steps.lose(step, true),
}

const takeovers: readonly (readonly [start: string, manner: string])[] = [
  ...['getUser', 'getUserByEmail', 'getUserByAccount', 'getSessionAndUser'].map(
    (start) => [start, 'the process stops'] as const,
  ),
  ['getSessionAndUser', 'the store refuses a step'],
  ['getSessionAndUser', 'a reply is lost'],
]

it.each(takeovers)(
  'the next call finishes a takeover by %s that is cut: %s',
  { timeout: 60_000 },
  async (name, manner) => {
    const start = lookups[name] as Call
    const next = world.process()
    const whole = await afterCut([], next, start, () => undefined)
    const none = await afterCut(
      [],
      next,
      () => Promise.resolve(),
      () => undefined,
    )
    const processes = Object.keys(calls).map(() => {
      const steps = new Steps()
      return { steps, adapter: world.process(steps) }
    })
    for (let step = 1; ; step++) {
      const found = await afterCut(processes, next, start, (steps) => cuts[manner]?.(steps, step))
      if (found === null) {
        expect(step).toBeGreaterThan(10)
        return
      }
      for (const [call, results] of Object.entries(found)) {
        expect([whole?.[call], none?.[call]], `${call} after step ${step}`).toContainEqual(results)
      }
    }
  },
)

it.each(Object.keys(lookups))('after a deletion, nothing is left of a user whom %s took over', async (name) => {
  const adapter = world.process()
  const person = new Person()
  await world.signIn(person)
  await lookups[name]?.(adapter, person)
  await adapter.deleteUser(person.id)
  expect(new Set(Object.values(await view(adapter, person)))).toEqual(new Set(['null', '[]']))
})

it('a cut takeover ends although an old process has then stored the address of another user', async () => {
  const steps = new Steps()
  const cutting = world.process(steps)
  const next = world.process()
  const other = new Person()
  await world.signIn(other)
  await next.getUser(other.id)
  let kept = 0
  for (let step = 1; ; step++) {
    const person = new Person()
    await world.signIn(person)
    steps.stop(step)
    const isCut = await cutting.getUser(person.id).then(
      () => false,
      () => true,
    )
    if (!isCut) break
    const key = `user:${person.id}`
    const old = { id: person.id, email: other.email, emailVerified: null, name: 'Ada L.' }
    if (await redis.client.exists(key)) await redis.client.set(key, JSON.stringify(old))
    const found = await next.getUser(person.id)
    expect(found?.id, `step ${step}`).toBe(person.id)
    if (found?.name === 'Ada L.' && found.email === person.email) kept++
    expect((await next.getUserByEmail(other.email))?.id, `step ${step}`).toBe(other.id)
  }
  expect(kept).toBeGreaterThan(0)
})
