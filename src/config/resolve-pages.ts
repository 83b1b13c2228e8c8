/** How the built-in pages look: options and defaults. Both default accents read well on the pages' own grounds. */
import type { PagesOptions, ResolvedPages } from './types.ts'

const DEFAULT_ACCENT = '#1d5fd0'
const DEFAULT_ACCENT_DARK = '#7fb0ff'

/** An accent that is set for light only serves in dark, too. */
export function resolvePages(options: PagesOptions = {}): ResolvedPages {
  const { name, logo, accentColor, accentColorDark } = options
  return {
    name: name ?? null,
    logo: logo ?? null,
    accentColor: accentColor ?? DEFAULT_ACCENT,
    accentColorDark: accentColorDark ?? accentColor ?? DEFAULT_ACCENT_DARK,
  }
}
