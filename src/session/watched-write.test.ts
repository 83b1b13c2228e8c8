import { once } from 'node:events'
import { describe, expect, it, onTestFinished } from 'vitest'
import { watchedWrite, type WriteFailure } from './watched-write.ts'

const failure = new Error('the write failed')

/** A write that fails in a later turn of the event loop, like every write to a store. */
async function failing(): Promise<string> {
  await turn()
  throw failure
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

function watch(write: Promise<string> = failing()): { reports: WriteFailure[]; watched: Promise<string> } {
  const reports: WriteFailure[] = []
  return { reports, watched: watchedWrite(write, 'session.set', (report) => reports.push(report)) }
}

/** Waits until each promise has failed, and both Node and Coatcheck have decided which failures are unhandled. */
async function rejectionsReported(): Promise<void> {
  for (let i = 0; i < 4; i++) await turn()
}

describe('a write that fails', () => {
  it.each<[string, (watched: Promise<string>) => unknown]>([
    ['is not used at all', () => undefined],
    ['is discarded', (watched) => void watched],
    ['is continued without a catch', (watched) => void watched.then(() => 'answer')],
    ['is continued twice without a catch', (watched) => (void watched.then(), void watched.then().then())],
    ['has a finally and no catch', (watched) => void watched.finally(() => undefined)],
    [
      'has a catch that throws it again',
      (watched) => void watched.catch((error: unknown) => Promise.reject(error as Error)),
    ],
  ])('is reported once, and is no unhandled rejection, when its promise %s', async (_use, use) => {
    const { reports, watched } = watch()
    use(watched)
    await rejectionsReported()
    expect(reports).toEqual([{ operation: 'session.set', error: failure }])
  })

  it.each<[string, (watched: Promise<string>) => Promise<unknown>]>([
    ['await', async (watched) => await watched],
    ['return in an async function', async (watched) => watched],
    ['await of a function that returns it', (watched) => (async () => await (async () => watched)())()],
    ['Promise.all', (watched) => Promise.all([Promise.resolve(1), watched])],
    ['Promise.race', (watched) => Promise.race([watched])],
    ['Promise.resolve', (watched) => Promise.resolve(watched)],
    [
      'then and catch',
      (watched) => watched.then(() => 'answer').catch((error: unknown) => Promise.reject(error as Error)),
    ],
    ['finally', (watched) => watched.finally(() => undefined)],
    [
      'for await',
      async (watched) => {
        for await (const value of [watched]) return value
      },
    ],
  ])('reaches its caller through %s, and is not reported', async (_use, use) => {
    const { reports, watched } = watch()
    await expect(use(watched)).rejects.toBe(failure)
    await rejectionsReported()
    expect(reports).toEqual([])
  })

  it('is not reported when allSettled or a catch has it, nor when it failed before it was awaited', async () => {
    const handled = watch()
    await expect(Promise.allSettled([handled.watched])).resolves.toEqual([{ status: 'rejected', reason: failure }])
    const caught = watch()
    caught.watched.catch(() => undefined)
    const atOnce = watch(Promise.reject(failure))
    await expect(atOnce.watched).rejects.toBe(failure)
    await rejectionsReported()
    expect([handled, caught, atOnce].map(({ reports }) => reports)).toEqual([[], [], []])
  })

  it('still reaches a caller that awaits it after the report', async () => {
    const { reports, watched } = watch()
    await rejectionsReported()
    expect(reports).toHaveLength(1)
    await expect(watched).rejects.toBe(failure)
  })
})

it('a write that succeeds behaves like any promise', async () => {
  const { watched, reports } = watch(Promise.resolve('value'))
  expect(watched).toBeInstanceOf(Promise)
  expect(Object.prototype.toString.call(watched)).toBe('[object Promise]')
  expect(await watched).toBe('value')
  expect(await watched.then((value) => value.length)).toBe(5)
  expect(reports).toEqual([])
})

it('an error in a callback of the caller stays an unhandled rejection', async () => {
  const others = process.listeners('unhandledRejection')
  process.removeAllListeners('unhandledRejection')
  onTestFinished(() => {
    for (const listener of others) process.on('unhandledRejection', listener)
  })
  const unhandled = once(process, 'unhandledRejection')
  const { watched, reports } = watch(Promise.resolve('value'))
  const bug = new Error('of the application')
  void watched.then(() => {
    throw bug
  })
  expect(await unhandled).toEqual([bug, expect.any(Promise)])
  await rejectionsReported()
  expect(reports).toEqual([])
})

it('an awaited failure has the caller in its stack, as with any promise', async () => {
  async function write(): Promise<string> {
    await turn()
    throw new Error('made after the call')
  }
  async function routeOfTheApplication(): Promise<void> {
    await watchedWrite(write(), 'session.set', () => undefined)
  }
  const error = await routeOfTheApplication().catch((thrown: unknown) => thrown as Error)
  expect((error as Error).stack).toMatch(/at (async )?routeOfTheApplication/)
})
