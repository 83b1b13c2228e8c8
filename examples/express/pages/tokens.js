// @ts-check
/** What is known about the user's tokens: for what, until when, refreshed when. Never a token. */
import { html } from '../html.js'
import { time } from '../times.js'
import { layout } from './layout.js'

/** @typedef {Awaited<ReturnType<import('coatcheck').TokenCache['status']>>[number]} ProviderStatus */

/** @param {{ path: string, user: import('coatcheck').User, status: readonly ProviderStatus[] }} view */
export function tokensPage({ path, user, status }) {
  return layout(
    { title: 'Tokens', path, user },
    html`<h1>Tokens</h1>
      <p class="lead">Sealed on the server, refreshed when they run out. No page ever shows one.</p>
      ${status.length === 0 && html`<p class="panel empty">Nothing is stored for you. Sign in again to change that.</p>`}
      ${status.map(provider)}`,
  )
}

/** @param {ProviderStatus} status */
function provider({
  provider: name,
  hasRefreshToken,
  refreshCount,
  grantExpiresAt,
  lastRefresh,
  nextRefreshAt,
  keyId,
  resources,
}) {
  return html`<section class="panel">
      <h2>${name}</h2>
      <dl>
        <div>
          <dt>Refresh token</dt>
          <dd>${hasRefreshToken ? 'stored' : 'none'}</dd>
        </div>
        <div>
          <dt>Refresh count</dt>
          <dd>${refreshCount ?? 'none'}</dd>
        </div>
        <div>
          <dt>Last refresh</dt>
          <dd>${lastRefresh ? html`${time(lastRefresh.at)}: ${lastRefresh.outcome}` : time(null)}</dd>
        </div>
        <div>
          <dt>Next refresh</dt>
          <dd>
            ${nextRefreshAt === null ? 'when a token is needed' : html`on the next use ${time(nextRefreshAt)} or later`}
          </dd>
        </div>
        <div>
          <dt>Sealed with key</dt>
          <dd>${keyId ? html`<code>${keyId}</code>` : 'none'}</dd>
        </div>
        <div>
          <dt>Deleted if unused</dt>
          <dd>${time(grantExpiresAt)}</dd>
        </div>
      </dl>
    </section>
    <section class="panel">
      <h2>Access tokens</h2>
      ${resources.length === 0 ? html`<p class="empty">None at the moment. The next use fetches one.</p>` : table(resources)}
    </section>`
}

/** @param {ProviderStatus['resources']} resources */
function table(resources) {
  return html`<table>
    <thead>
      <tr>
        <th scope="col">Resource</th>
        <th scope="col">Expires</th>
        <th scope="col">Obtained</th>
      </tr>
    </thead>
    <tbody>
      ${resources.map(
        ({ resource, scopes, expiresAt, obtainedAt }) =>
          html`<tr>
            <td data-label="Resource">
              ${resource ? html`<code>${resource}</code>` : 'From sign-in'}${
                scopes.join(' ') !== resource && html`<span class="under">${scopes.join(', ')}</span>`
              }
            </td>
            <td data-label="Expires">${time(expiresAt)}</td>
            <td data-label="Obtained">${time(obtainedAt)}</td>
          </tr>`,
      )}
    </tbody>
  </table>`
}
