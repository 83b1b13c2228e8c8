/** Errors in the code of the caller, which no repetition can repair. */
import type { CatalogueEntry } from './catalogue-entry.ts'

const misuse = { family: 'misuse', retryable: false, status: 500 } as const

export const misuseErrors = {
  COATCHECK_INVALID_ARGUMENT: {
    ...misuse,
    why: 'A method was called with an argument it cannot take.',
    fix: 'Pass what the message asks for; TypeScript finds most of these before they run.',
    isGeneral: true,
  },
  COATCHECK_CLOSED: {
    ...misuse,
    status: 503,
    why: 'close() was called, and something was used afterwards.',
    fix: 'Stop taking requests first, then call close(). To start again, call coatcheck() again.',
  },
  COATCHECK_RUNTIME_UNSUPPORTED: {
    ...misuse,
    why: 'Coatcheck was loaded in an edge runtime or a browser, where neither node:crypto nor a connection to Redis exists.',
    fix: "Next 16: use proxy.ts, which runs on Node. Next 15: `export const config = { runtime: 'nodejs' }` in middleware.ts. Routes and pages: no `export const runtime = 'edge'`. Client components: pass them data, not Coatcheck.",
  },
  COATCHECK_SESSION_VALUE: {
    ...misuse,
    why: 'A session stores JSON values. This value would be lost or changed.',
    fix: 'Store a string, number, boolean, null, array or plain object: a Date as date.toISOString(), a Map as an array.',
  },
  COATCHECK_SESSION_UPDATE: {
    ...misuse,
    why: 'update(fn) stores what fn does to the draft before it returns, and applies fn again after a conflict. Nothing was changed.',
    fix: 'Await everything else first; then change the draft synchronously: await session.update((draft) => { draft.count = count }).',
  },
  COATCHECK_SESSION_READ_ONLY: {
    ...misuse,
    why: 'A session is a read-only snapshot: an assignment to it would never be stored. Nothing was changed.',
    fix: "To store a value, use session.set(): await session.set('theme', 'dark'). To change a part of one, use session.update().",
  },
  COATCHECK_TOKEN_SECONDS: {
    ...misuse,
    why: 'expiresAt is in milliseconds; this value can only be seconds.',
    fix: 'Multiply by 1000, or use tokens.fromOAuth(account) for values of Auth.js.',
  },
} as const satisfies Record<string, CatalogueEntry>
