/** Values that a session cannot keep, and wrong arguments of its methods. */
import type { Mistake } from '../mistake.ts'

const cycle = (): object => {
  const basket: Record<string, unknown> = {}
  basket['items'] = [basket]
  return basket
}

const noJson = (
  [
    ['a Date', 'since', 'new Date()', new Date(), /"since" is an instance of Date/],
    ['a Map', 'cart', 'new Map()', new Map([['tea', 1]]), /"cart" is an instance of Map/],
    ['a function', 'total', '() => 1', () => 1, /"total" is a function/],
    ['an object that contains itself', 'basket', 'basket', cycle(), /"basket\.items\[0\]" is .*a cycle/],
    ['undefined within an array', 'ids', '[1, undefined]', [1, undefined], /"ids\[1\]" is undefined/],
  ] as const
).map(([kind, field, sample, value, what]): Mistake => ({
  title: `The session gets ${kind}`,
  sample: `await session.set('${field}', ${sample})`,
  make: async (world) => (await world.session()).set(field, value),
  code: 'COATCHECK_SESSION_VALUE',
  what,
  why: /A session stores JSON values/,
  fix: /^Store a string, number, boolean, null, array or plain object: a Date as date\.toISOString\(\)/,
}))

export const valueMistakes: readonly Mistake[] = [
  ...noJson,
  {
    title: 'The session grows too large',
    sample: "await session.set('report', await readFile('report.json', 'utf8'))",
    make: async (world) => (await world.session()).set('report', 'x'.repeat(70_000)),
    code: 'COATCHECK_SESSION_TOO_LARGE',
    what: /session\.maxBytes allows 65536\. Nothing was changed/,
    why: /larger than session\.maxBytes/,
    fix: /^Keep large values in your database and their ids in the session/,
  },
  {
    title: 'session.set() gets an object instead of a field and its value',
    sample: "await session.set({ theme: 'dark' })",
    make: async (world) => (await world.session()).set({ theme: 'dark' } as never, undefined),
    code: 'COATCHECK_INVALID_ARGUMENT',
    what: /set\(field, value\): field must be a text/,
    why: /argument it cannot take/,
    fix: /^Name one field: await session\.set\('theme', 'dark'\)/,
  },
  {
    title: 'A session is looked for without a ticket',
    sample: 'await auth.sessions.find(request.cookies.session)',
    make: (world) => world.auth.sessions.find(undefined as never),
    code: 'COATCHECK_INVALID_ARGUMENT',
    what: /find\(ticket\) needs a ticket; it got undefined/,
    why: /argument it cannot take/,
    fix: /in a handler, use getSession\(request\) of the adapter/,
  },
  {
    title: 'A session is ended by its ticket',
    sample: 'await auth.sessions.revoke(ticket)',
    make: (world) => world.auth.sessions.revoke(world.ticket),
    code: 'COATCHECK_INVALID_ARGUMENT',
    what: /revoke\(sessionId\) got a ticket and needs a session id\. No session was ended/,
    why: /argument it cannot take/,
    fix: /^Pass session\.id: await auth\.sessions\.revoke\(session\.id\)/,
  },
]
