import { describe, expect, it } from 'vitest'
import { siteIn } from './call-site.ts'

const own = '/app/node_modules/coatcheck/dist/'
const stack = (...places: string[]): string => ['Error', ...places.map((place) => `    at ${place}`)].join('\n')

describe('the call site', () => {
  it.each([
    ['a function', 'async handler (/app/routes/theme.js:14:9)', 'routes/theme.js:14'],
    ['no function', '/app/routes/theme.js:14:9', 'routes/theme.js:14'],
    ['a module', 'file:///app/routes/my%20theme.js:14:9', 'routes/my theme.js:14'],
    ['a folder elsewhere', 'run (/other/theme.js:3:1)', '/other/theme.js:3'],
  ])('is the first frame outside of the package: %s', (_title, place, site) => {
    const frames = stack(`SessionView.set (file://${own}session/session.js:90:5)`, 'node:internal/x:1:1', place)
    expect(siteIn(frames, own, '/app')).toBe(site)
  })

  it('is unknown when all frames are of the package or of Node', () => {
    expect(siteIn(stack(`set (${own}session/session.js:90:5)`, 'run (node:internal/x:1:1)'), own, '/app')).toBeNull()
  })
})
