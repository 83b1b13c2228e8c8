// @ts-check
/** What all pages share: head, navigation, footer. No script, nothing from elsewhere. */
import { html } from '../html.js'

/** `null`: nobody is signed in. `undefined`: the page does not ask, and works while the store is down. */
/** @typedef {import('coatcheck').User | null | undefined} Visitor */

const links = [
  { href: '/', text: 'Home' },
  { href: '/profile', text: 'Profile' },
  { href: '/orders', text: 'Orders' },
  { href: '/tokens', text: 'Tokens' },
  { href: '/devices', text: 'Devices' },
]

/**
 * @param {{ title: string, path: string, user: Visitor }} page
 * @param {import('../html.js').Html} main
 */
export function layout({ title, path, user }, main) {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>${title} · Cloakroom</title>
        <link rel="stylesheet" href="/style.css" />
        <link rel="icon" href="/favicon.svg" type="image/svg+xml" />
      </head>
      <body>
        <a class="skip" href="#main">Skip to content</a>
        <header>
          <div class="bar">
            <a class="brand" href="/"><img src="/favicon.svg" alt="" width="30" height="30" />Cloakroom</a>
            ${user && navigation(path)} ${user && account(user)}
            ${user === null && html`<a class="button small" href="/auth/login?returnTo=/">Sign in</a>`}
          </div>
        </header>
        <main id="main" tabindex="-1">${main}</main>
        <footer>The browser holds a ticket. The server keeps the coat.</footer>
      </body>
    </html>`
}

/** @param {string} path */
function navigation(path) {
  return html`<nav aria-label="Pages">
    <ul>
      ${links.map(
        ({ href, text }) => html`<li><a href="${href}" ${href === path && html` aria-current="page"`}>${text}</a></li>`,
      )}
    </ul>
  </nav>`
}

/** @param {import('coatcheck').User} user */
function account(user) {
  return html`<form class="account" method="post" action="/auth/logout">
    <span class="name">${nameOf(user)}</span>
    <button class="small">Sign out</button>
  </form>`
}

/** @param {import('coatcheck').User} user */
export function nameOf(user) {
  return String(user.name ?? user.preferred_username ?? 'You')
}
