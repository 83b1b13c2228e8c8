import { getSession, routeHandler } from 'coatcheck/next'
import { auth } from '../../../lib/auth'

export const GET = routeHandler(auth, async () => {
  const { user, id, createdAtMs, expiresAtMs } = await getSession(auth)
  if (user) return Response.json({ user, session: { id, createdAt: createdAtMs, expiresAt: expiresAtMs } })
  const error = { code: 'COATCHECK_UNAUTHENTICATED', message: 'Nobody is signed in.' }
  return Response.json({ error }, { status: 401 })
})
