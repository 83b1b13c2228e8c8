import { requireUser } from 'coatcheck/next'
import { Page } from '../../components/page'
import { YourDevices } from '../../components/your-devices'
import { auth } from '../../lib/auth'

export const metadata = { title: 'Devices' }

interface DevicesProps {
  readonly searchParams: Promise<{ readonly ended?: string | string[] }>
}

export default async function Devices({ searchParams }: DevicesProps) {
  const { user, session } = await requireUser(auth, { returnTo: '/devices' })
  const sessions = await auth.sessions.listByUser(user.id)
  const { ended } = await searchParams
  return (
    <Page path="/devices" user={user}>
      <h1>Your devices</h1>
      <p className="lead">
        {sessions.length > 1 ? 'Every place where you are signed in.' : 'You are signed in here and nowhere else.'}
      </p>
      <p className="status" role="status">
        {ended === 'one' && 'The device is signed out.'}
        {ended === 'others' && 'All other devices are signed out.'}
      </p>
      <YourDevices sessions={sessions} currentId={session.id} returnTo="/devices" />
    </Page>
  )
}
