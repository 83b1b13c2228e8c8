// @ts-check
/** The claims that the application kept of the sign-in, and the times of this session. */
import { html } from '../html.js'
import { time } from '../times.js'
import { layout } from './layout.js'

/**
 * @typedef {object} ProfileView
 * @property {string} path
 * @property {import('coatcheck').User} user
 * @property {import('coatcheck').Session<Record<string, unknown>>} session
 */

/** @param {ProfileView} view */
export function profilePage({ path, user, session }) {
  const claims = Object.entries(user).filter(([, value]) => value !== undefined)
  const { authentication } = session
  return layout(
    { title: 'Profile', path, user },
    html`<h1>Profile</h1>
      <p class="lead">What the identity provider said about you, and what this session remembers.</p>
      <section class="panel">
        <h2>Claims</h2>
        <dl>${claims.map(([name, value]) => row(name, show(value)))}</dl>
      </section>
      <section class="panel">
        <h2>Session</h2>
        <dl>
          ${row('Session id', html`<code>${session.id}</code>`)} ${row('Began', time(session.createdAtMs))}
          ${row('Ends, if you do nothing', time(session.expiresAtMs))}
          ${authentication && row('Signed in', html`${time(authentication.authenticatedAtMs)} through ${authentication.provider}`)}
        </dl>
      </section>`,
  )
}

/** @param {string} name @param {unknown} value */
function row(name, value) {
  return html`<div>
    <dt>${name}</dt>
    <dd>${value}</dd>
  </div>`
}

/** @param {unknown} value */
function show(value) {
  if (Array.isArray(value)) return value.map((item) => html`<span class="chip">${String(item)}</span> `)
  return typeof value === 'object' ? html`<code>${JSON.stringify(value)}</code>` : String(value)
}
