// @ts-check
/** The first page: an invitation for visitors, an overview for users. */
import { html } from '../html.js'
import { layout, nameOf } from './layout.js'

/** @param {{ path: string, user: import('./layout.js').Visitor }} request */
export function homePage({ path, user }) {
  return layout({ title: 'Home', path, user }, user ? overview(user) : invitation())
}

function invitation() {
  return html`<section class="hero">
      <p class="kicker">Coatcheck with Express</p>
      <h1>Hand in your coat,<br />keep the ticket.</h1>
      <p class="lead">
        Sign in, and your session and tokens stay on the server. Your browser gets one cookie that says nothing about
        you.
      </p>
      <p><a class="button" href="/auth/login?returnTo=/">Sign in</a></p>
    </section>
    <section class="ticket" aria-hidden="true">
      <span>No.</span><strong>0427</strong><span>Admit the owner</span>
    </section>`
}

/** @param {import('coatcheck').User} user */
function overview(user) {
  const cards = [
    {
      href: '/profile',
      title: 'Profile',
      text: 'Who the identity provider says you are, and what this session knows.',
    },
    { href: '/orders', title: 'Orders', text: 'Fetched from a protected API with your own access token.' },
    {
      href: '/tokens',
      title: 'Tokens',
      text: 'For which API, until when, last refreshed when. Never the token itself.',
    },
    { href: '/devices', title: 'Devices', text: 'Where you are signed in. End any of them from here.' },
  ]
  return html`<h1>Welcome, ${nameOf(user).split(' ')[0]}.</h1>
    <p class="lead">You are signed in. Reload as often as you like: the session lives on the server.</p>
    <ul class="cards">
      ${cards.map(
        ({ href, title, text }) =>
          html`<li>
            <a href="${href}"><strong>${title}</strong><span>${text}</span></a>
          </li>`,
      )}
    </ul>`
}
