/**
 * Runs actors of one world in many orders of their steps. A step is one call of a driver that was passed through `Scheduler.steps`: each
 * waits until the scheduler releases it. Two actors of about ten steps run in all orders; more of them run in seeded random orders.
 */

/** Releases the calls of drivers one at a time. */
export interface Scheduler {
  /** The same driver, whose asynchronous methods wait for their turn. */
  steps<T extends object>(driver: T): T
}

export interface Race<W> {
  /** Makes a world and its actors. Called once for each order. */
  readonly start: (scheduler: Scheduler) => { readonly world: W; readonly actors: readonly (() => Promise<unknown>)[] }
  /** Throws when the world, or what the actors returned, breaks a promise. */
  readonly check: (world: W, results: readonly unknown[]) => Promise<void>
}

export interface Explored {
  readonly orders: number
  /** Whether all orders were run. */
  readonly isComplete: boolean
}

type Step = () => void

/** Runs the race in all orders, or in the first `mostOrders` of a seeded random walk when there are more. */
export async function explore<W>(race: Race<W>, mostOrders: number, seed = 1): Promise<Explored> {
  const choices: number[] = []
  for (let orders = 1; orders <= mostOrders; orders++) {
    const taken = await runOnce(race, (count, depth) => Math.min(choices[depth] ?? 0, count - 1))
    while (taken.length > 0 && (taken.at(-1)?.choice ?? 0) + 1 >= (taken.at(-1)?.of ?? 0)) taken.pop()
    if (taken.length === 0) return { orders, isComplete: true }
    choices.splice(0, choices.length, ...taken.map(({ choice }) => choice))
    choices[choices.length - 1] = (choices.at(-1) ?? 0) + 1
  }
  const random = seeded(seed)
  for (let order = 0; order < mostOrders; order++) await runOnce(race, (count) => random() % count)
  return { orders: 2 * mostOrders, isComplete: false }
}

async function runOnce<W>(
  race: Race<W>,
  choose: (count: number, depth: number) => number,
): Promise<{ choice: number; of: number }[]> {
  const waiting: Step[] = []
  const taken: { choice: number; of: number }[] = []
  let isOver = false
  const steps = <T extends object>(driver: T): T =>
    new Proxy(driver, {
      get(target, name, receiver) {
        const method: unknown = Reflect.get(target, name, receiver)
        if (typeof method !== 'function') return method
        return async (...args: unknown[]): Promise<unknown> => {
          if (!isOver) await new Promise<void>((release) => waiting.push(release))
          return (method as (...args: unknown[]) => unknown).apply(target, args)
        }
      },
    })
  const { world, actors } = race.start({ steps })
  let running = actors.length
  const all = actors.map((actor) =>
    actor().finally(() => {
      running--
    }),
  )
  const settled = Promise.allSettled(all)
  for (;;) {
    // The drivers answer in microtasks: after this, every actor waits for its turn or is done.
    await new Promise((resolve) => setImmediate(resolve))
    if (running === 0) break
    if (waiting.length === 0) throw new Error('An actor waits for something that is no step.')
    const choice = choose(waiting.length, taken.length)
    taken.push({ choice, of: waiting.length })
    waiting.splice(choice, 1)[0]?.()
  }
  await settled
  isOver = true
  const order = taken.map(({ choice }) => choice).join('')
  try {
    await race.check(world, await Promise.all(all))
  } catch (error) {
    throw new Error(`Order ${order}: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
  }
  return taken
}

/** Mulberry32: the same numbers for the same seed. */
function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return (mixed ^ (mixed >>> 14)) >>> 0
  }
}
