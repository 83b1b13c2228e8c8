/** Checks what responds at the redirect URI: this application, something else, or no server at the moment. */
import type { HealthNotes } from './health-report.ts'

const DEADLINE_MS = 5000

interface Given {
  readonly redirectUri: string
  readonly responseMode: 'query' | 'form_post'
  readonly fetch: typeof fetch
}

export async function checkCallback(notes: HealthNotes, { redirectUri, responseMode, fetch }: Given): Promise<void> {
  const isPost = responseMode === 'form_post'
  const label = isPost ? 'Callback, as POST' : 'Callback'
  let answer: Response
  try {
    // Sends a browser's return request without parameters. The Coatcheck routes refuse it.
    answer = await fetch(redirectUri, {
      method: isPost ? 'POST' : 'GET',
      redirect: 'manual',
      signal: AbortSignal.timeout(DEADLINE_MS),
      ...(isPost && { body: new URLSearchParams({ state: 'none' }) }),
    })
    await answer.body?.cancel()
  } catch {
    notes.skipped(label, `${redirectUri}: the application does not run, or cannot be reached from here`)
    return
  }
  const says = `${redirectUri} answers ${answer.status}`
  if (isOurs(answer)) notes.ok(label, `${says}, by this application`)
  else notes.found('DOCTOR_CALLBACK_UNANSWERED', label, says)
}

/** Checks for what all route responses have in common. A missing route has these headers too, but status 404. */
function isOurs({ status, headers }: Response): boolean {
  return (
    status !== 404 &&
    status !== 405 &&
    headers.get('referrer-policy') === 'no-referrer' &&
    (headers.get('cache-control') ?? '').includes('no-store')
  )
}
