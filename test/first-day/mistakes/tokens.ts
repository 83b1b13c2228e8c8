/** Asking for access tokens in a way that no provider can answer. */
import type { Mistake } from '../mistake.ts'

export const tokenMistakes: readonly Mistake[] = [
  {
    title: 'A token is asked for a user who never signed in',
    sample: "await auth.tokens.getAccessToken('someone', { scopes })",
    make: (world) => world.auth.tokens.getAccessToken('someone', { scopes: ['api://orders/Orders.Read'] }),
    code: 'COATCHECK_TOKEN_NONE',
    what: /No tokens are stored for this user and provider/,
    why: /No tokens are stored for this user and provider/,
    fix: /^The user has to sign in/,
  },
  {
    title: 'A token is asked for without a user',
    sample: 'await auth.tokens.getAccessToken(session.user?.id, { scopes })',
    make: (world) => world.auth.tokens.getAccessToken(undefined as never, { scopes: ['api://orders/Orders.Read'] }),
    code: 'COATCHECK_INVALID_ARGUMENT',
    what: /"userId" must be a text .*; it got undefined/,
    why: /argument it cannot take/,
    fix: /^Pass the id of a signed-in user, which is session\.user\.id/,
  },
  {
    title: 'A scope is passed as a text',
    sample: "await auth.tokens.getAccessToken(user.id, 'api://orders/Orders.Read')",
    make: (world) => world.auth.tokens.getAccessToken(world.userId, 'api://orders/Orders.Read' as never),
    code: 'COATCHECK_INVALID_ARGUMENT',
    what: /must be an object such as \{ scopes \} or \{ resource \}; it got a text/,
    why: /argument it cannot take/,
    fix: /^Write getAccessToken\(userId, \{ scopes: \['api:\/\/orders\/Orders\.Read'\] \}\)/,
  },
  {
    title: 'Scopes of two APIs are asked for in one call',
    sample:
      "await auth.tokens.getAccessToken(user.id, { scopes: ['api://orders/Orders.Read', 'api://reports/Reports.Read'] })",
    make: (world) =>
      world.auth.tokens.getAccessToken(world.userId, {
        scopes: ['api://orders/Orders.Read', 'api://reports/Reports.Read'],
      }),
    code: 'COATCHECK_TOKEN_REFRESH_REJECTED',
    what: /refused a token for api:\/\/orders\/Orders\.Read api:\/\/reports\/Reports\.Read \(invalid_scope, AADSTS28000\)/,
    why: /An access token is for one API/,
    fix: /^Call getAccessToken\(\) once for each API/,
  },
]
