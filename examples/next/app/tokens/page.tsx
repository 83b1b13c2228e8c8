/** What is known about the user's tokens: for what, until when, refreshed when. Never a token. */
import { requireUser } from 'coatcheck/next'
import { Page } from '../../components/page'
import { Time } from '../../components/time'
import { auth } from '../../lib/auth'

export const metadata = { title: 'Tokens' }

type ProviderStatus = Awaited<ReturnType<typeof auth.tokens.status>>[number]

export default async function Tokens() {
  const { user } = await requireUser(auth, { returnTo: '/tokens' })
  const status = await auth.tokens.status(user.id)
  return (
    <Page path="/tokens" user={user}>
      <h1>Tokens</h1>
      <p className="lead">Sealed on the server, refreshed when they run out. No page ever shows one.</p>
      {status.length === 0 && <p className="panel empty">Nothing is stored for you. Sign in again to change that.</p>}
      {status.map((provider) => (
        <Provider key={provider.provider} status={provider} />
      ))}
    </Page>
  )
}

function Provider({ status }: { readonly status: ProviderStatus }) {
  const { provider, hasRefreshToken, refreshCount, lastRefresh, resources } = status
  return (
    <>
      <section className="panel">
        <h2>{provider}</h2>
        <dl>
          <div>
            <dt>Refresh token</dt>
            <dd>{hasRefreshToken ? 'stored' : 'none'}</dd>
          </div>
          <div>
            <dt>Refresh count</dt>
            <dd>{refreshCount ?? 'none'}</dd>
          </div>
          <div>
            <dt>Last refresh</dt>
            <dd>
              <Time atMs={lastRefresh?.at} />
              {lastRefresh && `: ${lastRefresh.outcome}`}
            </dd>
          </div>
        </dl>
      </section>
      <section className="panel">
        <h2>Access tokens</h2>
        <table>
          <thead>
            <tr>
              <th scope="col">Resource</th>
              <th scope="col">Expires</th>
              <th scope="col">Obtained</th>
            </tr>
          </thead>
          <tbody>
            {resources.map(({ resource, scopes, expiresAt, obtainedAt }) => (
              <tr key={resource ?? 'sign-in'}>
                <td data-label="Resource">
                  {resource ? <code>{resource}</code> : 'From sign-in'}
                  {scopes.join(' ') !== resource && <span className="under">{scopes.join(', ')}</span>}
                </td>
                <td data-label="Expires">
                  <Time atMs={expiresAt} />
                </td>
                <td data-label="Obtained">
                  <Time atMs={obtainedAt} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </section>
    </>
  )
}
