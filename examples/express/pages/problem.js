// @ts-check
/** Something did not work: what, what it means for the user, and the way on. */
import { html } from '../html.js'
import { layout } from './layout.js'

/** @param {{ title: string, text: string, code?: string | undefined, action?: { href: string, text: string } }} problem */
export function problemPage({ title, text, code, action = { href: '/', text: 'Back to the first page' } }) {
  return layout(
    { title, path: '', user: undefined },
    html`<section class="hero">
      <p class="kicker">Sorry</p>
      <h1>${title}</h1>
      <p class="lead">${text}</p>
      <p><a class="button" href="${action.href}">${action.text}</a></p>
      ${code && html`<p class="quiet">For support: <code>${code}</code></p>`}
    </section>`,
  )
}
