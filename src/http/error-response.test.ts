import { describe, expect, it } from 'vitest'
import { type ErrorCode, errorCatalogue } from '../core/error-catalogue.ts'
import { type AnyCoatcheckError, CoatcheckError, TokenError } from '../core/errors.ts'
import { errorResponse } from './error-response.ts'

const page = new Headers({ accept: 'text/html' })
const codes = Object.keys(errorCatalogue) as ErrorCode[]
const visitorCodes = codes.filter((code) => errorCatalogue[code].status < 500)

describe('what visitors read', () => {
  it.each(visitorCodes)('%s is not called our fault', async (code) => {
    const html = await errorResponse(new CoatcheckError(code) as AnyCoatcheckError, page, '/auth/login').text()
    expect(html).not.toContain('Something went wrong')
    expect(html).toContain(code)
  })

  it.each(['COATCHECK_REAUTH_REQUIRED', 'COATCHECK_TOKEN_NONE'] as const)(
    '%s: says that signing in again helps, and where; no word of the inside',
    async (code) => {
      const error = new TokenError(code, { message: 'about the inside' })
      const response = errorResponse(error, page, '/auth/login')
      const html = await response.text()
      expect(response.status).toBe(401)
      expect(html).toContain('<h1>Please sign in again</h1>')
      expect(html).toContain('<a href="/auth/login">')
      expect(html).not.toContain('about the inside')
      expect(await errorResponse(error, new Headers(), '/auth/login').json()).toMatchObject({
        error: { code, message: expect.stringMatching(/^Please sign in again\. /), retryable: false },
      })
    },
  )
})
