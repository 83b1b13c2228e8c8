// @ts-check
/** Where the user is signed in. Plain forms to Coatcheck's own routes: it works without a line of script. */
import { html } from '../html.js'
import { time } from '../times.js'
import { layout } from './layout.js'

/** @typedef {import('coatcheck').SessionInfo} SessionInfo */

/** What the page says after a form. The routes lead back to it with the name of what was done. */
const messages = new Map([
  ['device', 'The device is signed out.'],
  ['others', 'All other devices are signed out.'],
])

/** @param {string} done */
const back = (done) => html`<input type="hidden" name="returnTo" value="/devices?done=${done}" />`

/**
 * @typedef {object} DevicesView
 * @property {string} path
 * @property {import('coatcheck').User} user
 * @property {string | null} currentId
 * @property {readonly SessionInfo[]} sessions
 * @property {string} done what a form did, see `messages`
 */

/** @param {DevicesView} view */
export function devicesPage({ path, user, currentId, sessions, done }) {
  const ordered = [...sessions].sort(
    (a, b) => Number(b.id === currentId) - Number(a.id === currentId) || b.lastSeenAtMs - a.lastSeenAtMs,
  )
  return layout(
    { title: 'Devices', path, user },
    html`<h1>Your devices</h1>
      <p class="lead">
        ${sessions.length > 1 ? 'Every place where you are signed in.' : 'You are signed in here and nowhere else.'}
      </p>
      <p class="status" role="status">${messages.get(done)}</p>
      <ul class="devices">
        ${ordered.map((session) => device(session, session.id === currentId))}
      </ul>
      ${
        sessions.length > 1 &&
        html`<form method="post" action="/auth/devices/revoke-others">
          ${back('others')}
          <button class="danger">Sign out everywhere else</button>
        </form>`
      }`,
  )
}

/** @param {SessionInfo} session @param {boolean} current */
function device({ id, device: { browser, system, ip }, createdAtMs, lastSeenAtMs }, current) {
  const name = [browser ?? 'Unknown browser', system].filter(Boolean).join(' on ')
  return html`<li class="panel device${current ? ' current' : ''}">
    <div>
      <strong>${name}</strong> ${current && html`<span class="chip strong">This device</span>`}
      <p>${ip ? `${ip} · ` : ''}signed in ${time(createdAtMs)} · last seen ${time(lastSeenAtMs)}</p>
    </div>
    ${
      !current &&
      html`<form method="post" action="/auth/devices/${encodeURIComponent(id)}">
        ${back('device')}<input type="hidden" name="_method" value="delete" />
        <button class="small danger" aria-label="Sign out ${name}">Sign out</button>
      </form>`
    }
  </li>`
}
