import { describe, expect, it } from 'vitest'
import { resolvePages } from '../config/resolve-pages.ts'
import { type ErrorCode, errorCatalogue } from '../core/error-catalogue.ts'
import { type AnyCoatcheckError, CoatcheckError, RedisError, TokenError } from '../core/errors.ts'
import { type ErrorContext, errorResponse } from './error-response.ts'

const context: ErrorContext = {
  headers: new Headers({ accept: 'text/html' }),
  method: 'GET',
  loginPath: '/auth/login',
  pages: resolvePages(),
}
const codes = Object.keys(errorCatalogue) as ErrorCode[]
const visitorCodes = codes.filter((code) => errorCatalogue[code].status < 500)

describe('what visitors read', () => {
  it.each(visitorCodes)('%s is not called our fault', async (code) => {
    const html = await errorResponse(new CoatcheckError(code) as AnyCoatcheckError, context).text()
    expect(html).not.toContain('Something went wrong')
    expect(html).toContain(code)
  })

  it.each(codes)('%s: the page suggests exactly one way on', async (code) => {
    const html = await errorResponse(new CoatcheckError(code) as AnyCoatcheckError, context).text()
    expect(html.match(/class="action"/g)).toHaveLength(1)
  })

  it.each(['COATCHECK_REAUTH_REQUIRED', 'COATCHECK_TOKEN_NONE'] as const)(
    '%s: says that signing in again helps, and where; no word of the inside',
    async (code) => {
      const error = new TokenError(code, { message: 'about the inside' })
      const response = errorResponse(error, context)
      const html = await response.text()
      expect(response.status).toBe(401)
      expect(html).toContain('<h1>Please sign in again</h1>')
      expect(html).toContain('<a class="action" href="/auth/login">Sign in again</a>')
      expect(html).not.toContain('about the inside')
      expect(await errorResponse(error, { ...context, headers: new Headers() }).json()).toMatchObject({
        error: { code, message: expect.stringMatching(/^Please sign in again\. /), retryable: false },
      })
    },
  )

  it('an account that was refused is not offered again: the provider asks for another one', async () => {
    const error = new CoatcheckError('COATCHECK_SIGNIN_DENIED') as AnyCoatcheckError
    expect(await errorResponse(error, context).text()).toContain('href="/auth/login?account=choose"')
    const several = { ...context, loginPath: '/auth/login?provider=b' }
    expect(await errorResponse(error, several).text()).toContain('href="/auth/login?provider=b&#38;account=choose"')
  })

  it('an outage offers the same address again, unless a form was sent there', async () => {
    const error = new RedisError('COATCHECK_REDIS_TIMEOUT')
    expect(await errorResponse(error, context).text()).toContain('<a class="action" href="">Try again</a>')
    const afterForm = await errorResponse(error, { ...context, method: 'POST' }).text()
    expect(afterForm).toContain('<a class="action" href="/">Go to the start page</a>')
    expect(afterForm).not.toContain('href=""')
  })
})
