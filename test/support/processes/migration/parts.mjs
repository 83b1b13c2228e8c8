/** What the applications of this folder share. Coatcheck is loaded by new processes only. */

/** Options of our drop-ins. A busy machine delays replies. */
export async function ours({ url, keys }) {
  const { redisStore } = await import('coatcheck/redis')
  return { store: redisStore({ url, commandTimeoutMs: 3000, writeTimeoutMs: 5000 }), keys }
}

export function queryOf(url) {
  return new URL(url, 'http://localhost').searchParams
}

/** The session as `/me` shows it: without what the libraries put in. */
export function ownData(session) {
  const { cookie: _cookie, _expire, _maxAge, ...data } = JSON.parse(JSON.stringify(session))
  return data
}

/**
 * Node's handler for an application that is four functions of the `Cookie` header and the query. Each returns the `Set-Cookie` lines, and
 * `me` the data, `{}` for a visitor who is signed out.
 */
export function handlerOf({ me, set, signIn, signOut }) {
  const routes = { 'GET /me': me, 'POST /set': set, 'POST /sign-in': signIn, 'POST /sign-out': signOut }
  return async (request, response) => {
    const { pathname, searchParams } = new URL(request.url, 'http://localhost')
    try {
      const route = routes[`${request.method} ${pathname}`]
      const { data = {}, cookies = [] } = await route(request.headers.cookie ?? '', Object.fromEntries(searchParams))
      response.setHeader('set-cookie', cookies)
      response.end(JSON.stringify(data))
    } catch (error) {
      response.statusCode = 500
      response.end(String(error?.stack ?? error))
    }
  }
}

/** The `Cookie` header of a browser that got these `Set-Cookie` lines. */
export function cookieOf(lines, before = '') {
  const pairs = [...before.split('; ').filter(Boolean), ...lines.map((line) => line.split(';')[0])]
  const jar = new Map(pairs.map((pair) => [pair.slice(0, pair.indexOf('=')), pair]))
  return [...jar.values()].join('; ')
}
