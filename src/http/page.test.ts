import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { resolvePages } from '../config/resolve-pages.ts'
import { type Page, pageResponse } from './page.ts'
import { contrast, inkOn, luminanceOf } from './page-style.ts'

const page: Page = { title: 'Title', text: 'What happened.', icon: 'alert', action: { href: '/', text: 'Go' } }
const hashOf = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`
const policyOf = (response: Response): string => response.headers.get('content-security-policy') ?? ''

describe('a built-in page', () => {
  it.each([{}, { name: 'Shop', accentColor: '#b4472c' }, { accentColor: '#fff', accentColorDark: '#000' }])(
    'with %j has the one stylesheet that its CSP names, and no script',
    async (options) => {
      const response = pageResponse(page, resolvePages(options))
      const html = await response.text()
      const [, style = ''] = /<style>(.*)<\/style>/.exec(html) ?? []
      expect(policyOf(response)).toBe(
        `default-src 'none'; style-src ${hashOf(style)}; img-src data:; base-uri 'none'; frame-ancestors 'none'; form-action 'none'`,
      )
      expect(html).not.toContain('<script')
      expect(html).not.toMatch(/(?:src|href)="https?:/)
      expect(html).not.toContain(' style=')
    },
  )

  it('shows name and logo of the application, and loads only that logo', async () => {
    const response = pageResponse(page, resolvePages({ name: 'Ada & <Co>', logo: '/logo.svg' }))
    const html = await response.text()
    expect(html).toContain('<title>Title · Ada &#38; &#60;Co&#62;</title>')
    expect(html).toContain('<p class="brand"><img src="/logo.svg" alt="">Ada &#38; &#60;Co&#62;</p>')
    expect(html).toContain('<link rel="icon" href="/logo.svg">')
    expect(policyOf(response)).toContain("img-src 'self';")
  })

  it('takes a logo that travels within the page', async () => {
    const logo = 'data:image/png;base64,iVBORw0KGgo='
    const response = pageResponse(page, resolvePages({ logo }))
    expect(await response.text()).toContain(`<img src="${logo}" alt="">`)
    expect(policyOf(response)).toContain('img-src data:;')
  })

  it('runs its one line of script only where a form sends itself', async () => {
    const form = { method: 'post', action: '/x', fields: new URLSearchParams({ a: '"><b>' }), button: 'Go on' } as const
    const { action: _, ...rest } = page
    const asked = pageResponse({ ...rest, form: { ...form, sendsItself: false, targets: ['https:'] } }, resolvePages())
    const askedHtml = await asked.text()
    expect(askedHtml).toContain('<button class="action">Go on</button>')
    expect(askedHtml).toContain('name="a" value="&#34;&#62;&#60;b&#62;"')
    expect(askedHtml).not.toContain('<script')
    expect(policyOf(asked)).toMatch(/; form-action 'self' https:$/)
    const sent = pageResponse({ ...rest, form: { ...form, sendsItself: true } }, resolvePages())
    const [, script = ''] = /<script>(.*)<\/script>/.exec(await sent.text()) ?? []
    expect(policyOf(sent)).toMatch(/; form-action 'self'; script-src 'sha256-[^ ]+$/)
    expect(policyOf(sent)).toContain(hashOf(script))
  })
})

describe('the text on the accent color', () => {
  it.each(['#000', '#fff', '#777', '#1d5fd0', '#7fb0ff', '#ff0000', '#00ff00', '#b4472c', '#767676', '#808080'])(
    'has a contrast of at least 4.5 on %s',
    (color) => {
      expect(contrast(luminanceOf(color), luminanceOf(inkOn(color)))).toBeGreaterThanOrEqual(4.5)
    },
  )

  it('computes contrast as WCAG 2.2 does', () => {
    expect(contrast(luminanceOf('#000'), luminanceOf('#ffffff'))).toBe(21)
    expect(contrast(luminanceOf('#777777'), luminanceOf('#fff'))).toBeCloseTo(4.48, 2)
  })
})
