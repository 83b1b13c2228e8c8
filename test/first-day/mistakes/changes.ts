/** Changes of a session that would be lost. */
import { type ErrorCode, errorCatalogue } from '../../../src/core/error-catalogue.ts'
import type { EventMap } from '../../../src/core/event-map.ts'
import { logLines } from '../../../src/telemetry/log-lines.ts'
import { serve } from '../application.ts'
import type { Mistake, Seen } from '../mistake.ts'
import type { World } from '../world.ts'

export const changeMistakes: readonly Mistake[] = [
  {
    title: 'session.update() gets an asynchronous function',
    sample: 'await session.update(async (draft) => { draft.theme = await load() })',
    make: async (world) =>
      // eslint-disable-next-line @typescript-eslint/no-misused-promises -- the mistake itself
      (await world.session()).update(async (draft) => {
        await Promise.resolve()
        draft['theme'] = 'dark'
      }),
    code: 'COATCHECK_SESSION_UPDATE',
    what: /update\(fn\): fn is asynchronous\..*Nothing was changed/,
    why: /stores what fn does to the draft before it returns/,
    fix: /^Await everything else first; then change the draft synchronously: await session\.update/,
  },
  {
    title: 'session.update() returns a changed copy',
    sample: "await session.update((draft) => ({ ...draft, theme: 'dark' }))",
    make: async (world) => (await world.session()).update((draft) => ({ ...draft, theme: 'dark' }) as never),
    code: 'COATCHECK_SESSION_UPDATE',
    what: /returned a changed copy\. Change the draft itself/,
    why: /stores what fn does to the draft/,
    fix: /change the draft synchronously: await session\.update/,
  },
  {
    title: 'A value is assigned to session.data',
    sample: "session.data.theme = 'dark'",
    async make(world) {
      const { data } = await world.session()
      ;(data as Record<string, unknown>)['theme'] = 'dark'
    },
    code: 'COATCHECK_SESSION_READ_ONLY',
    what: /Cannot assign to "theme" of session\.data/,
    why: /an assignment to it would never be stored/,
    fix: /^To store a value, use session\.set\(\): await session\.set\('theme', 'dark'\)/,
  },
  {
    title: 'Something inside session.data is changed',
    sample: "session.data.items.push('coffee')",
    async make(world) {
      const { data } = await world.session()
      ;(data['items'] as string[]).push('coffee')
    },
    code: 'COATCHECK_SESSION_READ_ONLY',
    what: /Cannot assign to "1" of session\.data, or of a value inside it/,
    why: /an assignment to it would never be stored/,
    fix: /To change a part of one, use session\.update\(\)/,
  },
  {
    title: 'session.set() is not awaited, and the response is sent first',
    sample: "response.json({ ok: true }); session.set('theme', 'dark')",
    writes: true,
    make: forgottenAwait,
    code: 'COATCHECK_HEADERS_SENT',
    what: /session\.set\(\) at test\/first-day\/mistakes\/changes\.ts:\d+ was not awaited, and it failed/,
    why: /headers of the response have already left/,
    fix: /^Write "await" before session\.set\(\)/,
  },
  {
    title: 'session.update() gets an asynchronous function, and is not awaited',
    sample: 'session.update(async (draft) => { draft.theme = await load() })',
    make: forgottenAwaitOfAsyncUpdate,
    code: 'COATCHECK_SESSION_UPDATE',
    what: /session\.update\(\) at test\/first-day\/mistakes\/changes\.ts:\d+ failed: update\(fn\): fn is asynchronous/,
    why: /applies fn again after a conflict/,
    fix: /^Await everything else first/,
  },
  {
    title: 'The first value of a new visitor is stored after the response',
    sample: "response.json({ ok: true }); await session.set('theme', 'dark')",
    writes: true,
    make: (world) => afterTheResponse(world, (set) => set()),
    code: 'COATCHECK_HEADERS_SENT',
    what: /headers of the response have already left/,
    why: /new ticket has to be sent as a cookie/,
    fix: /before the first byte of the response/,
  },
]

/** A request of a new visitor to Express whose handler answers first. Rejects with what its `set()` rejects with. */
async function afterTheResponse(world: World, run: (set: () => Promise<void>) => unknown): Promise<unknown> {
  let result: unknown
  const { origin } = await serve(world, (app, web) => {
    app.get('/', async (request, response) => {
      const session = await web.getSession(request)
      response.json({ ok: true })
      const set = (): Promise<void> => session.set('theme', 'dark')
      result = Promise.resolve(run(set))
      await Promise.resolve(result).catch(() => undefined)
    })
  })
  const { status } = await fetch(origin)
  if (status !== 200) throw new Error(`The handler answered ${status}.`)
  return result
}

/** The process goes on; the log and an event tell. */
async function forgottenAwait(world: World): Promise<Seen> {
  const told = logged(world)
  await afterTheResponse(world, (set) => void set())
  const { code, text } = await told
  const [what = '', fix = ''] = text.split(': ')
  return {
    code,
    what: `Error in the log: ${what}.`,
    why: errorCatalogue[code].why,
    fix: `${fix.replace('write', 'Write').replace(/it$/, 'session.set()')}.`,
  }
}

async function forgottenAwaitOfAsyncUpdate(world: World): Promise<Seen> {
  const told = logged(world)
  const session = await world.session()
  // eslint-disable-next-line @typescript-eslint/no-misused-promises -- the mistake
  void session.update(async (draft) => void (draft['theme'] = await Promise.resolve('dark')))
  const { code, text } = await told
  const { why, fix } = errorCatalogue[code]
  return { code, what: `Error in the log: ${text}.`, why, fix }
}

/** The line about the next write that nothing awaits. */
async function logged(world: World): Promise<{ readonly code: ErrorCode; readonly text: string }> {
  const event = await new Promise<EventMap['session.write-unawaited']>((tell) => {
    world.later(world.auth.events.on('session.write-unawaited', tell))
  })
  const { text, textOf } = logLines['session.write-unawaited']
  return { code: event.code as ErrorCode, text: (textOf?.(event) ?? text).replace('{operation}', event.operation) }
}
