/** The scope of blocks with `with: msal`: an application on MSAL, and the user of the request. */
export const tenantId = '11111111-2222-4333-8444-555555555555'
export const clientId = '66666666-7777-4888-9999-000000000000'
export const clientSecret = 'secret'

export function currentHomeAccountId(): string | null {
  return `user.${tenantId}`
}
