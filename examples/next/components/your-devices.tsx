/**
 * "Your devices": every place where the user is signed in, with a button to end each of the others, and one for all of them.
 * A server component without script: plain forms to the routes of Coatcheck. To take it over, copy this file and `time.tsx`.
 *
 *   const { user, session } = await requireUser(auth, { returnTo: '/devices' })
 *   <YourDevices sessions={await auth.sessions.listByUser(user.id)} currentId={session.id} returnTo="/devices" />
 *
 * The routes lead back to `returnTo` with `?ended=one` or `?ended=others`, so that the page can say what was done.
 */
import type { SessionInfo } from 'coatcheck'
import { Time } from './time'

interface YourDevicesProps {
  readonly sessions: readonly SessionInfo[]
  /** The session of this request. */
  readonly currentId: string | null
  /** The page that this stands on: the routes lead back to it. */
  readonly returnTo: string
  /** Where the routes are. */
  readonly basePath?: string
}

export function YourDevices({ sessions, currentId, returnTo, basePath = '/auth' }: YourDevicesProps) {
  const ordered = [...sessions].sort(
    (a, b) => Number(b.id === currentId) - Number(a.id === currentId) || b.lastSeenAtMs - a.lastSeenAtMs,
  )
  const back = (ended: 'one' | 'others') => <input type="hidden" name="returnTo" value={`${returnTo}?ended=${ended}`} />
  return (
    <>
      <ul className="devices">
        {ordered.map((session) => (
          <li key={session.id} className={`panel device${session.id === currentId ? ' current' : ''}`}>
            <div>
              <strong>{nameOf(session)}</strong>{' '}
              {session.id === currentId && <span className="chip strong">This device</span>}
              <p>
                {session.device.ip && `${session.device.ip} · `}signed in <Time atMs={session.createdAtMs} /> · last
                seen <Time atMs={session.lastSeenAtMs} />
              </p>
            </div>
            {session.id !== currentId && (
              <form method="post" action={`${basePath}/devices/${encodeURIComponent(session.id)}`}>
                {back('one')}
                <input type="hidden" name="_method" value="delete" />
                <button className="small danger" aria-label={`Sign out ${nameOf(session)}`}>
                  Sign out
                </button>
              </form>
            )}
          </li>
        ))}
      </ul>
      {sessions.length > 1 && (
        <form method="post" action={`${basePath}/devices/revoke-others`}>
          {back('others')}
          <button className="danger">Sign out everywhere else</button>
        </form>
      )}
    </>
  )
}

function nameOf({ device: { browser, system } }: SessionInfo): string {
  return [browser ?? 'Unknown browser', system].filter(Boolean).join(' on ')
}
