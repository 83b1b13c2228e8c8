// @ts-check
/** Times for people: how far away, with the exact time behind it. */
import { html } from './html.js'

const relative = new Intl.RelativeTimeFormat('en', { numeric: 'auto' })
const exact = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'medium', timeZone: 'UTC' })

/** @type {readonly [Intl.RelativeTimeFormatUnit, number][]} */
const units = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
]

/** @param {number | null | undefined} atMs epoch milliseconds */
export function time(atMs) {
  if (atMs === null || atMs === undefined) return html`<span class="quiet">never</span>`
  const away = atMs - Date.now()
  const [unit, size] = units.find(([, milliseconds]) => Math.abs(away) >= milliseconds) ?? ['second', 1000]
  const text = relative.format(Math.round(away / size), unit)
  return html`<time datetime="${new Date(atMs).toISOString()}" title="${exact.format(atMs)} UTC">${text}</time>`
}
