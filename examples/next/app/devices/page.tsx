import { requireUser } from 'coatcheck/next'
import { Page } from '../../components/page'
import { YourDevices } from '../../components/your-devices'
import { auth } from '../../lib/auth'

export const metadata = { title: 'Devices' }

export default async function Devices() {
  const { user, session } = await requireUser(auth, { returnTo: '/devices' })
  const sessions = await auth.sessions.listByUser(user.id)
  return (
    <Page path="/devices" user={user}>
      <h1>Your devices</h1>
      <p className="lead">
        {sessions.length > 1 ? 'Every place where you are signed in.' : 'You are signed in here and nowhere else.'}
      </p>
      <YourDevices sessions={sessions} currentId={session.id} returnTo="/devices" />
    </Page>
  )
}
