/**
 * Pages of the development provider. They contain only one script (the sign-out form submits itself), no inline style, and no external
 * resource. Every page works with the keyboard and without a mouse.
 */
import type { ServerResponse } from 'node:http'
import { html, Html } from './html.ts'
import { type DevUser, devUsers } from './people.ts'

export interface Page {
  readonly status: number
  readonly body: Html
  readonly scripts: boolean
  /** Possible final targets of the page's form: browsers also check the redirects after a form. */
  readonly formTargets: readonly string[]
}

interface Layout {
  readonly title: string
  readonly status?: number
  readonly scripts?: boolean
  readonly formTargets?: readonly string[]
}

export const stylesheetPath = '/assets/style.css'
export const iconPath = '/assets/icon.svg'
export const submitScriptPath = '/assets/submit.js'
export const faultsPath = '/dev/faults'

/** An icon of a key. */
export const icon =
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="8" fill="#1f5fbf"/><g fill="none" stroke="#fff" stroke-width="2.600" stroke-linecap="round"><circle cx="11.500" cy="20.500" r="4.500"/><path d="m15 17 8-8m-3 3 3 3"/></g></svg>'

/** Submits the only form of the sign-out page. */
export const submitScript = "document.querySelector('form').submit()\n"

export function pageHeaders(page: Page): Record<string, string> {
  const csp = [
    "default-src 'none'",
    "style-src 'self'",
    "img-src 'self'",
    page.scripts && "script-src 'self'",
    `form-action ${["'self'", ...page.formTargets].join(' ')}`,
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ]
  return {
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': csp.filter(Boolean).join('; '),
    'cache-control': 'no-store',
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
  }
}

export function layout({ title, status = 200, scripts = false, formTargets = [] }: Layout, main: Html): Page {
  const body = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>${title}</title>
        <link rel="stylesheet" href="${stylesheetPath}" />
        <link rel="icon" href="${iconPath}" type="image/svg+xml" />
      </head>
      <body>
        <main>
          <p class="badge">Local development provider</p>
          ${main}
        </main>
        <footer>For development only: no passwords. It never starts in production.</footer>
      </body>
    </html>`
  return { status, body, scripts, formTargets }
}

export interface SignInPage {
  readonly action: string
  /** The requesting application comes first. */
  readonly applicationOrigins: readonly string[]
  readonly isEnabled: (user: DevUser) => boolean
}

export function signInPage({ action, applicationOrigins, isEnabled }: SignInPage): Page {
  const choice = (user: DevUser, index: number): Html =>
    html`<li>
      <button name="user" value="${user.id}" ${index === 0 ? html` autofocus` : ''}>
        <span class="initials" aria-hidden="true">${initialsOf(user)}</span>
        <span class="who"><strong>${user.name}</strong><span class="mail">${user.email}</span></span>
        <span class="note${isEnabled(user) ? '' : ' warn'}">${user.note}</span>
      </button>
    </li>`
  return layout(
    { title: 'Pick an account', formTargets: applicationOrigins },
    html`<h1>Pick an account</h1>
      <p>to continue to <strong>${applicationOrigins[0] ?? 'the application'}</strong></p>
      <form method="post" action="${action}">
        <ul>
          ${devUsers.map(choice)}
        </ul>
        <p class="actions"><button class="secondary" name="cancel" value="yes">Cancel</button></p>
      </form>`,
  )
}

export function homePage(issuer: string): Page {
  const row = (user: DevUser): Html =>
    html`<li class="row">
      <span class="initials" aria-hidden="true">${initialsOf(user)}</span>
      <span class="who"><strong>${user.name}</strong><span class="mail">${user.email}</span></span>
      <span class="note">${user.note}</span>
    </li>`
  return layout(
    { title: 'Local development provider' },
    html`<h1>Ready to sign people in</h1>
      <p>Point an application at this issuer:</p>
      <p><code>${issuer}</code></p>
      <ul>
        ${devUsers.map(row)}
      </ul>
      <p class="actions"><a class="secondary" href="${faultsPath}">Faults</a></p>`,
  )
}

/** @param applicationOrigin origin of the application that sent the visitor; without one, the page only says so */
export function errorPage(error: string, description: string | undefined, applicationOrigin?: string): Page {
  return layout(
    { title: 'Sign-in is not possible', status: 400 },
    html`<h1>Sign-in is not possible</h1>
      <p role="alert">${description ?? 'The request could not be carried out.'}</p>
      <p><code>${error}</code></p>
      ${
        applicationOrigin === undefined
          ? html`<p>Go back to the application and start again.</p>`
          : html`<p class="actions"><a class="secondary" href="${applicationOrigin}">Back to the application</a></p>`
      }`,
  )
}

/** @param form the open form of `oidc-provider`: trusted markup, with the hidden CSRF field */
export function logoutPage(form: string): Page {
  const complete = form.replace(
    '</form>',
    '<input type="hidden" name="logout" value="yes"><button class="primary" autofocus>Continue</button></form>',
  )
  return layout(
    { title: 'Signing out', scripts: true, formTargets: ['*'] },
    html`<h1>Signing you out</h1>
      ${new Html(complete)}
      <script src="${submitScriptPath}" defer></script>`,
  )
}

export function signedOutPage(): Page {
  return layout(
    { title: 'Signed out' },
    html`<h1>You are signed out</h1>
      <p>You can close this page.</p>`,
  )
}

export function writePage(response: ServerResponse, page: Page): void {
  response.writeHead(page.status, pageHeaders(page)).end(page.body.text)
}

function initialsOf(user: DevUser): string {
  return user.name.replace(/[^A-Z]/g, '')
}
