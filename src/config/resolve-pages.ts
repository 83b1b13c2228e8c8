/** Resolves the appearance of the built-in pages: options and defaults. Both default accents have enough contrast on the page background. */
import { own } from '../core/json.ts'
import type { PagesOptions, ResolvedPages } from './types.ts'

const DEFAULT_ACCENT = '#1d5fd0'
const DEFAULT_ACCENT_DARK = '#7fb0ff'

/** An accent color that is set only for light mode also applies in dark mode. */
export function resolvePages(options: PagesOptions = own({})): ResolvedPages {
  const { name, logo, accentColor, accentColorDark } = options
  return {
    name: name ?? null,
    logo: logo ?? null,
    accentColor: accentColor ?? DEFAULT_ACCENT,
    accentColorDark: accentColorDark ?? accentColor ?? DEFAULT_ACCENT_DARK,
  }
}
