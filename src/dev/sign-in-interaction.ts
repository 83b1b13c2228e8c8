/** The sign-in step of the provider: shows the page and handles the click, or skips both for a `login_hint`. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type Provider from 'oidc-provider'
import { errorPage, signInPage, writePage } from './pages.ts'
import { peekForm } from './peek-form.ts'
import { type DevUser, devUsers, findUserByHint, subjectOf } from './people.ts'

export interface SignInInteraction {
  readonly provider: Provider
  /** Origins of the registered redirect URIs. */
  readonly applicationOrigins: readonly string[]
  readonly isEnabled: (user: DevUser) => boolean
}

export async function handleSignIn(
  { provider, applicationOrigins, isEnabled }: SignInInteraction,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const interaction = await provider.interactionDetails(request, response).catch(() => null)
  if (!interaction) {
    const text = 'This sign-in page has expired or was used already.'
    writePage(response, errorPage('interaction_expired', text, applicationOrigins[0]))
    return
  }
  // One result for all prompts of this sign-in, so that the user is asked only once.
  const finish = (user: DevUser): Promise<void> =>
    provider.interactionFinished(
      request,
      response,
      isEnabled(user) ? { login: { accountId: subjectOf(user) }, consent: {}, select_account: {} } : refusal,
    )

  if (request.method === 'POST') {
    const form = await peekForm(request)
    if (form.has('cancel')) {
      await provider.interactionFinished(request, response, cancellation)
      return
    }
    const chosen = form.get('user')
    const user = devUsers.find(({ id }) => id === chosen)
    if (user) await finish(user)
    else writePage(response, errorPage('invalid_request', 'There is no such account.'))
    return
  }
  if (interaction.prompt.name === 'consent') {
    await provider.interactionFinished(request, response, { consent: {} })
    return
  }
  const hinted = interaction.prompt.name === 'login' && findUserByHint(interaction.params.login_hint)
  if (hinted) await finish(hinted)
  else {
    // The provider has checked the redirect URI of this request. Its port may differ from that of the registered one.
    const origins = new Set([...originOf(interaction.params.redirect_uri), ...applicationOrigins])
    writePage(response, signInPage({ action: request.url ?? '', applicationOrigins: [...origins], isEnabled }))
  }
}

function originOf(uri: unknown): readonly string[] {
  return typeof uri === 'string' && URL.canParse(uri) ? [new URL(uri).origin] : []
}

/** In Entra ID's words. Entra ID shows them on its own page; here the application receives them. */
const refusal = { error: 'access_denied', error_description: 'AADSTS50057: The user account is disabled.' }

/** Entra ID's response when the user cancels on its page. */
const cancellation = { error: 'access_denied', error_description: 'AADSTS65004: User declined to sign in.' }
