/** Next 15 and 16, App Router: docs/next.md, each file in its place, also below `src/` where the project has that. */
import { configFile, configImport, type Template, type TemplateFile, type TemplateInput } from '../template.ts'

/** From here on `proxy.ts` is what `middleware.ts` was, and runs on Node by itself. */
const FIRST_WITH_PROXY = 16

export function next(input: TemplateInput): Template {
  const { project, isTypeScript } = input
  const source = project.has('src/app') || (!project.has('app') && project.has('src')) ? 'src/' : ''
  const hasProxy = (project.majorOf('next') ?? FIRST_WITH_PROXY) >= FIRST_WITH_PROXY
  const script = isTypeScript ? 'ts' : 'js'
  const component = isTypeScript ? 'tsx' : 'jsx'
  const config = `${source === '' ? '..' : '../..'}/${configImport(input, 'bundler')}`
  const files: TemplateFile[] = [
    configFile(input),
    { path: `${source}lib/auth.${script}`, text: authOf(config) },
    { path: `${source}app/auth/[...path]/route.${script}`, text: ROUTE },
    {
      path: `${source}${hasProxy ? 'proxy' : 'middleware'}.${script}`,
      text: proxyOf(hasProxy ? 'proxy' : 'middleware', isTypeScript),
    },
    { path: `${source}instrumentation.${script}`, text: INSTRUMENTATION },
    { path: `${source}app/profile/page.${component}`, text: PROFILE },
    { path: `${source}app/page.${component}`, text: HOME },
    { path: `${source}app/layout.${component}`, text: layoutOf(isTypeScript) },
  ]
  if (isTypeScript) files.push({ path: 'tsconfig.json', text: TSCONFIG })
  return {
    files,
    starter: [],
    packages: ['next', 'react', 'react-dom'],
    devPackages: isTypeScript ? ['typescript', '@types/node', '@types/react'] : [],
    scripts: { dev: 'coatcheck dev -- next dev', build: 'next build', start: 'next start' },
  }
}

const authOf = (config: string): string => `/** The one place where this application configures Coatcheck. */
import { coatcheck } from 'coatcheck'
import config from '${config}'

export const auth = coatcheck(config)
`

const ROUTE = `/** Sign-in, callback, sign-out, session and devices. */
import { routeHandlers } from 'coatcheck/next'
import { auth } from '../../../lib/auth'

export const { GET, POST, DELETE, HEAD, OPTIONS } = routeHandlers(auth)
`

function proxyOf(name: string, isTypeScript: boolean): string {
  const [request, answer] = isTypeScript ? [', type NextRequest', ': NextResponse'] : ['', '']
  const parameter = isTypeScript ? 'request: NextRequest' : 'request'
  const runtime = name === 'proxy' ? '' : `, runtime: 'nodejs'`
  return `/** Signature and expiry only, without Redis: keeps strangers off; pages and handlers still decide for themselves. */
import { hasTicket } from 'coatcheck/next'
import { NextResponse${request} } from 'next/server'
import { auth } from './lib/auth'

export function ${name}(${parameter})${answer} {
  if (hasTicket(auth, request)) return NextResponse.next()
  const url = new URL('/auth/login', auth.http.config().baseUrl)
  url.searchParams.set('returnTo', request.nextUrl.pathname + request.nextUrl.search)
  return NextResponse.redirect(url, 303)
}

export const config = { matcher: ['/profile']${runtime} }
`
}

const INSTRUMENTATION = `/** Once, before the first request: a misconfiguration ends here, and says what to set. */
export async function register() {
  if (process.env.NEXT_RUNTIME !== 'nodejs') return
  const { auth } = await import('./lib/auth')
  await auth.ready()
}
`

const HOME = `import { getSession } from 'coatcheck/next'
import { auth } from '../lib/auth'

export default async function Home() {
  const { user } = await getSession(auth)
  if (!user) {
    return (
      <main>
        <h1>Welcome</h1>
        <p>
          <a href="/auth/login?returnTo=/">Sign in</a>
        </p>
      </main>
    )
  }
  return (
    <main>
      <h1>Welcome, {String(user.name ?? user.id)}</h1>
      <p>
        <a href="/profile">Profile</a>
      </p>
      <form method="post" action="/auth/logout">
        <button>Sign out</button>
      </form>
    </main>
  )
}
`

const PROFILE = `import { requireUser } from 'coatcheck/next'
import { auth } from '../../lib/auth'

/** For users: everybody else is redirected to sign-in, and comes back. */
export default async function Profile() {
  const { user } = await requireUser(auth, { returnTo: '/profile' })
  return (
    <main>
      <h1>{String(user.name ?? user.id)}</h1>
      <pre>{JSON.stringify(user, null, 2)}</pre>
    </main>
  )
}
`

function layoutOf(isTypeScript: boolean): string {
  const importType = isTypeScript ? `import type { ReactNode } from 'react'\n\n` : ''
  const parameter = isTypeScript ? '{ children }: { readonly children: ReactNode }' : '{ children }'
  return `${importType}export const metadata = { title: 'Welcome' }

export default function Layout(${parameter}) {
  return (
    <html lang="en">
      <body>{children}</body>
    </html>
  )
}
`
}

const TSCONFIG = `{
  "compilerOptions": {
    "target": "ES2023",
    "lib": ["DOM", "DOM.Iterable", "ES2023"],
    "module": "ESNext",
    "moduleResolution": "Bundler",
    "jsx": "react-jsx",
    "strict": true,
    "noEmit": true,
    "incremental": true,
    "isolatedModules": true,
    "resolveJsonModule": true,
    "esModuleInterop": true,
    "skipLibCheck": true,
    "allowJs": true,
    "plugins": [{ "name": "next" }]
  },
  "include": ["next-env.d.ts", "**/*.ts", "**/*.tsx", ".next/types/**/*.ts", ".next/dev/types/**/*.ts"],
  "exclude": ["node_modules"]
}
`
