/** Asks for no session, so it costs no command and works while the store is down. */
export const dynamic = 'force-dynamic'

export function GET(): Response {
  return Response.json({ status: 'ok' })
}
