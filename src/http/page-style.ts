/**
 * Stylesheet of the built-in pages. Every color is a CSS custom property. The two accents come from the option `pages`. Light and dark
 * follow the browser. Narrow screens need no second layout.
 */
import type { ResolvedPages } from '../config/types.ts'

const LIGHT = '--ground:#f4f4f6;--panel:#fff;--ink:#1b1c22;--quiet:#5b5e6b;--line:#dcdde3;--focus:#1d5fd0;'
const DARK = '--ground:#131419;--panel:#1c1e25;--ink:#eeeff4;--quiet:#a9adbb;--line:#343743;--focus:#8bb8ff;'
const INK_ON_LIGHT = '#000000'
const INK_ON_DARK = '#ffffff'

const RULES = [
  '*{box-sizing:border-box}',
  'body{margin:0;min-height:100vh;min-height:100svh;display:grid;align-content:center;justify-items:center;padding:1.5rem 1rem;background:var(--ground);color:var(--ink);font:1rem/1.55 system-ui,sans-serif}',
  'main{width:100%;max-width:30rem}',
  '.brand{display:flex;align-items:center;gap:.65rem;margin:0 0 1rem;font-size:1.1rem;font-weight:700;overflow-wrap:anywhere}',
  '.brand img{flex:none;height:2rem;max-width:10rem;object-fit:contain}',
  '.panel{padding:2rem;background:var(--panel);border:1px solid var(--line);border-radius:1rem;box-shadow:0 .75rem 2rem rgb(20 25 45/7%)}',
  '.icon{display:grid;place-items:center;width:3rem;height:3rem;margin:0 0 1.1rem;border-radius:50%;color:var(--accent);background:color-mix(in srgb,var(--accent) 14%,var(--panel))}',
  'h1{margin:0 0 .6rem;font-size:1.55rem;line-height:1.2;letter-spacing:-.01em;text-wrap:balance}',
  'p{margin:0;overflow-wrap:anywhere}',
  '.text{color:var(--quiet);text-wrap:pretty}',
  '.ways{display:flex;flex-wrap:wrap;align-items:center;gap:.75rem 1.25rem;margin:1.6rem 0 0}',
  '.ways form{display:contents}',
  '.action{display:inline-block;padding:.65rem 1.3rem;border:1px solid transparent;border-radius:.625rem;background:var(--accent);color:var(--accent-ink);font:inherit;font-weight:600;text-decoration:none;cursor:pointer}',
  '.action:hover{filter:brightness(1.08)}',
  '.other{padding:.25rem 0;color:var(--ink);text-underline-offset:.2em}',
  ':focus-visible{outline:3px solid var(--focus);outline-offset:2px;border-radius:.625rem}',
  '.code{margin:1rem 0 0;padding:0 .25rem;color:var(--quiet);font-size:.85rem}',
  'code{font:.95em ui-monospace,monospace;overflow-wrap:anywhere}',
  '@media(max-width:26rem){.panel{padding:1.5rem 1.25rem}}',
].join('')

export function pageStyle({ accentColor, accentColorDark }: ResolvedPages): string {
  return [
    `:root{color-scheme:light dark;${LIGHT}${accentOf(accentColor)}}`,
    `@media(prefers-color-scheme:dark){:root{${DARK}${accentOf(accentColorDark)}}}`,
    RULES,
  ].join('')
}

function accentOf(color: string): string {
  return `--accent:${color};--accent-ink:${inkOn(color)}`
}

/**
 * Returns the text color with the higher contrast on a background (WCAG 2.2, "contrast ratio"): at least 4.5 for every color.
 * @param color `#rgb` or `#rrggbb`
 */
export function inkOn(color: string): string {
  const luminance = luminanceOf(color)
  const onDark = contrast(luminance, luminanceOf(INK_ON_DARK))
  return onDark >= contrast(luminance, luminanceOf(INK_ON_LIGHT)) ? INK_ON_DARK : INK_ON_LIGHT
}

/** @returns from 1 (the same) to 21 (black on white) */
export function contrast(a: number, b: number): number {
  return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05)
}

/** WCAG 2.2, "relative luminance": from 0 (black) to 1 (white). */
export function luminanceOf(color: string): number {
  const digits = color.slice(1)
  const pairs = (digits.length === 3 ? digits.replace(/./g, '$&$&') : digits).match(/../g) ?? []
  const [red = 0, green = 0, blue = 0] = pairs.map((pair) => {
    const channel = Number.parseInt(pair, 16) / 255
    return channel <= 0.04045 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4
  })
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue
}
