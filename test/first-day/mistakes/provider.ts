/** A registration at the identity provider that does not fit, and addresses that differ from the registered ones. */
import { expressAuth } from '../../../src/adapters/express.ts'
import { coatcheck } from '../../../src/app/coatcheck.ts'
import { sendRaw } from '../../../src/testing/raw-http.ts'
import { doctorSays, type Mistake, type Seen } from '../mistake.ts'
import { serve } from '../application.ts'
import { entraFrom, oidcOf, type World } from '../world.ts'

const OTHER_TENANT = 'bbbbbbbb-2222-3333-4444-555555555555'
const HTML = { accept: 'text/html', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' }

/** Found by `ready({ provider: true })`; the doctor has to find the same. */
const registration = (
  [
    ['tenant id', 'AZURE_AD_TENANT_ID', OTHER_TENANT, 'COATCHECK_OIDC_DISCOVERY', 90002, /AADSTS90002|belong/],
    ['client id', 'AZURE_AD_CLIENT_ID', 'no-such-client', 'COATCHECK_OIDC_CLIENT_REJECTED', 700016, /refused/],
    [
      'client secret',
      'AZURE_AD_CLIENT_SECRET',
      'not-the-client-secret',
      'COATCHECK_OIDC_CLIENT_REJECTED',
      7000215,
      /refused/,
    ],
  ] as const
).map(([what, variable, value, code, number, why]): Mistake => ({
  title: `The ${what} is wrong`,
  sample: `${variable}=…`,
  async make(world) {
    const options = world.options({ providers: [entraFrom(world, { [variable]: value })] })
    await doctorSays(code, options, false)
    await world.start(options, true)
  },
  code,
  what: new RegExp(`AADSTS${number}`),
  why,
  fix: new RegExp(variable),
}))

export const providerMistakes: readonly Mistake[] = [
  ...registration,
  {
    title: 'The issuer URL leads nowhere',
    sample: "oidc({ name: 'idp', issuer: 'https://login.example.com/wrong', … })",
    make(world) {
      const issuer = `${world.provider.url}/wrong`
      return world.start(world.options({ providers: [oidcOf(world.provider, { issuer })] }), true)
    },
    code: 'COATCHECK_OIDC_DISCOVERY',
    what: /cannot be read at http:\/\/127\.0\.0\.1:\d+\/wrong\/\.well-known\/openid-configuration: HTTP 404/,
    why: /metadata of the identity provider could not be read/,
    fix: /option oidc\(\)\.issuer/,
  },
  {
    title: 'The redirect URI is not registered at the provider',
    sample: 'COATCHECK_BASE_URL=http://127.0.0.1:3000',
    make: unregisteredRedirectUri,
    code: 'AADSTS50011',
    what: /redirect URI .*http:\/\/127\.0\.0\.1:3000\/auth\/callback/,
    why: /The one that is registered: http:\/\/localhost:3000\/auth\/callback/,
    fix: /^Set COATCHECK_BASE_URL to the address under which the browser reaches the application, or register/,
  },
  {
    title: 'The page is opened at 127.0.0.1 instead of localhost',
    sample: 'http://127.0.0.1:3000/auth/login',
    make: otherHost,
    code: 'HTTP 400',
    what: /opened at http:\/\/127\.0\.0\.1:3000, and the base URL is http:\/\/localhost:3000/,
    why: /Browsers keep the cookies of the two apart/,
    fix: /^Open http:\/\/localhost:3000 instead/,
  },
  {
    title: 'The base URL names another port than that of the application',
    sample: 'COATCHECK_BASE_URL=http://localhost:3999 PORT=3100 node app.js',
    make: otherPort,
    code: 'HTTP 400',
    what: /opened at http:\/\/localhost:3100, and the base URL is http:\/\/localhost:3999/,
    why: /nothing listens there/,
    fix: /set COATCHECK_BASE_URL to http:\/\/localhost:3100/,
  },
  {
    title: 'API scopes are requested without offline_access',
    sample: "oidc({ scopes: ['openid', 'api://orders/Orders.Read'], … })",
    make: (world) =>
      doctorSays(
        'DOCTOR_OFFLINE_ACCESS',
        world.options({ providers: [oidcOf(world.provider, { scopes: ['openid', 'api://orders/Orders.Read'] })] }),
      ),
    code: 'DOCTOR_OFFLINE_ACCESS',
    what: /without offline_access: 1 API scope/,
    why: /the provider gives no refresh token/,
    fix: /^Add "offline_access" to the scopes/,
  },
]

/** The page of the local provider, as text. */
async function unregisteredRedirectUri(world: World): Promise<Seen> {
  const { issuer, clientId, url } = world.provider
  const { authorization_endpoint: endpoint } = (await (
    await fetch(`${issuer}/.well-known/openid-configuration`)
  ).json()) as { readonly authorization_endpoint: string }
  const query = new URLSearchParams({
    client_id: clientId,
    response_type: 'code',
    scope: 'openid',
    redirect_uri: 'http://127.0.0.1:3000/auth/callback',
  })
  const page = await (await fetch(`${new URL(endpoint, url).href}?${query.toString()}`, { headers: HTML })).text()
  const text = page
    .replace(/<(head|style|script)[\s\S]*?<\/\1>/g, ' ')
    .replace(/<[^>]+>/g, ' ')
    .replaceAll('&#39;', "'")
    .replace(/\s+/g, ' ')
  return { code: /AADSTS\d+/.exec(text)?.[0] ?? '', ...sentencesOf(text) }
}

/** What happened stands in the alert, why in the two addresses, what to do behind them. */
function sentencesOf(text: string): Omit<Seen, 'code'> {
  const part = (from: string, to: string): string => text.split(from)[1]?.split(to)[0]?.trim() ?? ''
  return {
    what: part('AADSTS50011 : ', 'The redirect URI that was sent'),
    why: `The one that is registered: ${part('The one that is registered: ', 'Set COATCHECK').replace(' ', '. ')}`,
    fix: `Set ${part(' Set ', 'With startDevProvider')}`,
  }
}

async function otherPort(world: World): Promise<Seen> {
  const baseUrl = `http://localhost:${world.emptyPort}`
  const auth = coatcheck(world.options({ baseUrl }))
  world.later(() => auth.close())
  const { origin } = await serve(world, (app) => app.use(expressAuth(auth)))
  const { status, body } = await sendRaw(origin, '/auth/login', { headers: { ...HTML, host: 'localhost:3100' } })
  const text = (/<p class="text">([^<]*)<\/p>/.exec(body)?.[1] ?? '').replaceAll(baseUrl, 'http://localhost:3999')
  const [what = '', why = '', fix = ''] = text.split('. ')
  return { code: `HTTP ${status}`, what: `${what}.`, why: `${why}.`, fix }
}

async function otherHost(world: World): Promise<Seen> {
  const { origin } = await serve(world, (app, web) => app.use(web))
  const { status, body } = await sendRaw(origin, '/auth/login', { headers: { ...HTML, host: '127.0.0.1:3000' } })
  const [what = '', why = ''] = (/<p class="text">([^<]*)<\/p>/.exec(body)?.[1] ?? '').split('. ')
  return { code: `HTTP ${status}`, what: `${what}.`, why: `${why}.`, fix: `${/<h1>([^<]*)/.exec(body)?.[1] ?? ''}.` }
}
