/**
 * The few pages that the routes show by themselves: errors, "continue to sign-in", the relay of an answer. Plain HTML that
 * works without scripts, with every keyboard and screen reader, in light and dark, and loads nothing.
 */
import { createHash } from 'node:crypto'

export interface Page {
  readonly title: string
  readonly text: string
  readonly links?: readonly { readonly href: string; readonly text: string }[]
  /** Sent on by the page itself where scripts run, by its button elsewhere. */
  readonly form?: {
    readonly method: 'get' | 'post'
    readonly action: string
    readonly fields: URLSearchParams
    readonly button: string
  }
}

const STYLE =
  ':root{color-scheme:light dark}body{font:1.0625rem/1.5 system-ui,sans-serif;max-width:34rem;margin:15vh auto 0;padding:0 1.25rem}' +
  'h1{font-size:1.5rem;line-height:1.25}a,button{display:inline-block;margin:.5rem 1rem .5rem 0;padding:.375rem 0;font:inherit}' +
  'button{padding:.5rem 1rem}:focus-visible{outline:3px solid;outline-offset:2px}'
const SUBMIT = 'document.forms[0].submit()'

const CSP = `default-src 'none'; style-src ${hashOf(STYLE)}; base-uri 'none'; frame-ancestors 'none'`

/** With a form, the page may send it to our own origin and run the one line that does. */
export function pageResponse(page: Page, status = 200): Response {
  return new Response(render(page), {
    status,
    headers: {
      'Content-Type': 'text/html; charset=utf-8',
      'Content-Security-Policy': page.form
        ? `${CSP}; form-action 'self'; script-src ${hashOf(SUBMIT)}`
        : `${CSP}; form-action 'none'`,
    },
  })
}

function render({ title, text, links = [], form }: Page): string {
  return [
    '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">',
    `<title>${escapeHtml(title)}</title><style>${STYLE}</style></head><body><main>`,
    `<h1>${escapeHtml(title)}</h1><p>${escapeHtml(text)}</p>`,
    form ? renderForm(form) : '',
    links.map(({ href, text: label }) => `<a href="${escapeHtml(href)}">${escapeHtml(label)}</a>`).join(''),
    '</main>',
    form ? `<script>${SUBMIT}</script>` : '',
    '</body></html>',
  ].join('')
}

function renderForm({ method, action, fields, button }: NonNullable<Page['form']>): string {
  const inputs = [...fields].map(
    ([name, value]) => `<input type="hidden" name="${escapeHtml(name)}" value="${escapeHtml(value)}">`,
  )
  return `<form method="${method}" action="${escapeHtml(action)}">${inputs.join('')}<button>${escapeHtml(button)}</button></form>`
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
}

function hashOf(source: string): string {
  return `'sha256-${createHash('sha256').update(source).digest('base64')}'`
}
