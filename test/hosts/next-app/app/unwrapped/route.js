import { getSession, getVisit } from 'coatcheck/next'
import { auth } from '../../auth.js'

/** The slip of a beginner, and no `routeHandler()` around it: nothing waits for the write. */
export async function POST(request) {
  if (new URL(request.url).searchParams.has('sign-in')) {
    const visit = await getVisit(auth)
    void visit.signIn({ userId: 'unwrapped' })
  } else {
    const session = await getSession(auth)
    void session.set('late', 1)
  }
  return Response.json({ done: true })
}
