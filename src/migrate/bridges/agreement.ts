/**
 * Selects among several old cookies of one request, each with its own name. An update of the old library may leave its earlier cookie behind,
 * and a neighboring subdomain may plant one. So the cookies count only if the application's `user` names the same user for all of them.
 */

/**
 * Returns the first cookie that has a user, if no other one has another user. `null`: they disagree.
 * @param cookies in the order of preference
 * @param userIdOf `null`: the old session has ended, or has no user
 */
export async function agreedCookie<Cookie>(
  cookies: readonly Cookie[],
  userIdOf: (cookie: Cookie) => Promise<string | null>,
): Promise<Cookie | null> {
  const [only, ...others] = cookies
  if (only === undefined || others.length === 0) return only ?? null
  const users = await Promise.all(cookies.map(async (cookie) => ({ cookie, userId: await userIdOf(cookie) })))
  const found = users.filter(({ userId }) => userId !== null)
  if (new Set(found.map(({ userId }) => userId)).size > 1) return null
  return found[0]?.cookie ?? only
}
