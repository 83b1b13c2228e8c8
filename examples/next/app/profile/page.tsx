/** The claims that the application kept of the sign-in, the times of this session, and a form that changes it. */
import { requireUser } from 'coatcheck/next'
import type { ReactNode } from 'react'
import { Page } from '../../components/page'
import { Time } from '../../components/time'
import { auth } from '../../lib/auth'
import { rename } from './actions'

export const metadata = { title: 'Profile' }

interface ProfileProps {
  readonly searchParams: Promise<{ readonly saved?: string | string[] }>
}

export default async function Profile({ searchParams }: ProfileProps) {
  const { user, session } = await requireUser(auth, { returnTo: '/profile' })
  const { authentication } = session
  const { saved } = await searchParams
  return (
    <Page path="/profile" user={user}>
      <h1>Profile</h1>
      <p className="lead">What the identity provider said about you, and what this session remembers.</p>
      <p className="status" role="status">
        {saved !== undefined && 'Saved.'}
      </p>
      <section className="panel">
        <h2>What we call you</h2>
        <form action={rename} className="inline">
          <label>
            Nickname <input name="nickname" maxLength={40} defaultValue={session.data.nickname ?? ''} />
          </label>{' '}
          <button className="small">Save</button>
        </form>
      </section>
      <section className="panel">
        <h2>Claims</h2>
        <dl>
          {Object.entries(user).map(([name, value]) => (
            <Row key={name} name={name}>
              {shown(value)}
            </Row>
          ))}
        </dl>
      </section>
      <section className="panel">
        <h2>Session</h2>
        <dl>
          <Row name="Session id">
            <code>{session.id}</code>
          </Row>
          <Row name="Began">
            <Time atMs={session.createdAtMs} />
          </Row>
          <Row name="Ends, if you do nothing">
            <Time atMs={session.expiresAtMs} />
          </Row>
          {authentication && (
            <Row name="Signed in">
              <Time atMs={authentication.authenticatedAtMs} /> through {authentication.provider}
            </Row>
          )}
        </dl>
      </section>
    </Page>
  )
}

function Row({ name, children }: { readonly name: string; readonly children: ReactNode }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  )
}

function shown(value: unknown): ReactNode {
  if (!Array.isArray(value)) return typeof value === 'object' ? <code>{JSON.stringify(value)}</code> : String(value)
  return value.map((item) => (
    <span key={String(item)} className="chip">
      {String(item)}
    </span>
  ))
}
