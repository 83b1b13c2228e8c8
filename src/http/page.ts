/**
 * Built-in pages of the routes: errors, questions before a sign-in or a sign-out, and the page that sends a provider's response again.
 * Plain HTML that works without scripts, by keyboard and by screen reader, in light and dark. A page loads only the logo that the
 * application has set. `page-style.ts` holds the colors.
 */
import { createHash } from 'node:crypto'
import type { ResolvedPages } from '../config/types.ts'
import { pageStyle } from './page-style.ts'

export interface Link {
  /** Empty: the current address again. */
  readonly href: string
  readonly text: string
}

export interface Page {
  readonly title: string
  /** What happened, and what it means for the visitor. */
  readonly text: string
  readonly icon: keyof typeof ICONS
  /** The single action that the page suggests. On a page with a form, the form button replaces it. */
  readonly action?: Link
  /** A less prominent link next to the action. */
  readonly other?: Link
  readonly form?: PageForm
  /** Error code, for support. */
  readonly code?: string
}

export interface PageForm {
  readonly method: 'get' | 'post'
  readonly action: string
  readonly fields: URLSearchParams
  readonly button: string
  /** A script of one line submits the form at once. The button is for browsers without scripts. */
  readonly sendsItself: boolean
  /**
   * The route checks the origin of the form. With `no-referrer`, browsers send the origin "null", which is refused if the browser does not
   * send Fetch Metadata either.
   */
  readonly checksOrigin?: true
  /** CSP sources for redirects after the form, besides the own origin: Chromium checks those, too. */
  readonly targets?: readonly string[]
}

const SUBMIT = 'document.forms[0].submit()'

/** SVG paths on a grid of 24, drawn as strokes. */
const ICONS = {
  alert: 'M12 4 3 20h18L12 4Zm0 6v4m0 3v.01',
  person: 'M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8Zm-7 8a7 7 0 0 1 14 0',
  wait: 'M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18Zm0-14v5l3 2',
  exit: 'M10 4H5v16h5M15 8l4 4-4 4m4-4H9',
  search: 'M11 18a7 7 0 1 0 0-14 7 7 0 0 0 0 14Zm5-2 4 4',
  stop: 'M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18ZM6 6l12 12',
} as const

/** Builds a complete HTML response. Its CSP allows only this stylesheet, this script and this logo. */
export function pageResponse(page: Page, pages: ResolvedPages, status = 200): Response {
  const theme = themeOf(pages)
  const { form } = page
  const policy = [
    "default-src 'none'",
    `style-src ${theme.styleHash}`,
    `img-src ${theme.imageSource}`,
    "base-uri 'none'",
    "frame-ancestors 'none'",
    `form-action ${form ? ["'self'", ...(form.targets ?? [])].join(' ') : "'none'"}`,
    ...(form?.sendsItself ? [`script-src ${hashOf(SUBMIT)}`] : []),
  ]
  return new Response(render(page, pages, theme), {
    status,
    headers: {
      'Content-Type': 'text/html; charset=utf-8',
      'Content-Security-Policy': policy.join('; '),
      'Referrer-Policy': form?.checksOrigin ? 'same-origin' : 'no-referrer',
    },
  })
}

interface Theme {
  readonly style: string
  readonly styleHash: string
  readonly icon: string
  readonly imageSource: string
}

/** One per configuration: style and hash are computed once. */
const themes = new WeakMap<ResolvedPages, Theme>()

function themeOf(pages: ResolvedPages): Theme {
  const known = themes.get(pages)
  if (known) return known
  const style = pageStyle(pages)
  const theme: Theme = {
    style,
    styleHash: hashOf(style),
    icon: pages.logo ?? defaultIcon(pages.accentColor),
    imageSource: pages.logo?.startsWith('/') ? "'self'" : 'data:',
  }
  themes.set(pages, theme)
  return theme
}

/** Icon for the browser tab. Without one, the browser requests /favicon.ico. */
function defaultIcon(color: string): string {
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24"><circle cx="12" cy="12" r="11" fill="${color}"/></svg>`
  return `data:image/svg+xml,${encodeURIComponent(svg)}`
}

function render({ title, text, icon, action, other, form, code }: Page, pages: ResolvedPages, theme: Theme): string {
  const ways = [form ? renderForm(form) : action && renderLink(action, 'action'), other && renderLink(other, 'other')]
  return [
    '<!doctype html><html lang="en"><head><meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark">',
    `<title>${escapeHtml(pages.name === null ? title : `${title} · ${pages.name}`)}</title>`,
    `<link rel="icon" href="${escapeHtml(theme.icon)}"><style>${theme.style}</style></head><body><main>`,
    renderBrand(pages),
    `<div class="panel">${renderIcon(icon)}<h1>${escapeHtml(title)}</h1><p class="text">${escapeHtml(text)}</p>`,
    `<div class="ways">${ways.filter(Boolean).join('')}</div></div>`,
    code === undefined ? '' : `<p class="code">For support: <code>${escapeHtml(code)}</code></p>`,
    '</main>',
    form?.sendsItself ? `<script>${SUBMIT}</script>` : '',
    '</body></html>',
  ].join('')
}

/** Next to a name, the logo is decorative and has an empty `alt`. */
function renderBrand({ name, logo }: ResolvedPages): string {
  if (name === null && logo === null) return ''
  const image = logo === null ? '' : `<img src="${escapeHtml(logo)}" alt="">`
  return `<p class="brand">${image}${name === null ? '' : escapeHtml(name)}</p>`
}

function renderIcon(icon: Page['icon']): string {
  const drawing = `<path d="${ICONS[icon]}" fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round" stroke-linejoin="round"/>`
  return `<div class="icon" aria-hidden="true"><svg viewBox="0 0 24 24" width="24" height="24">${drawing}</svg></div>`
}

function renderLink({ href, text }: Link, style: 'action' | 'other'): string {
  return `<a class="${style}" href="${escapeHtml(href)}">${escapeHtml(text)}</a>`
}

function renderForm({ method, action, fields, button }: PageForm): string {
  const inputs = [...fields].map(
    ([name, value]) => `<input type="hidden" name="${escapeHtml(name)}" value="${escapeHtml(value)}">`,
  )
  return `<form method="${method}" action="${escapeHtml(action)}">${inputs.join('')}<button class="action">${escapeHtml(button)}</button></form>`
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
}

function hashOf(source: string): string {
  return `'sha256-${createHash('sha256').update(source).digest('base64')}'`
}
