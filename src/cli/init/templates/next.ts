/**
 * The Next template: the files of docs/next.md, below `src/` if the project has that folder. An existing application keeps its layout,
 * first page and tsconfig.json.
 */
import { configFile, configImport, type Template, type TemplateFile, type TemplateInput } from '../template.ts'

/** Next 16 renamed `middleware.ts` to `proxy.ts`, and always runs it on Node. */
const FIRST_WITH_PROXY = 16

export function next(input: TemplateInput): Template {
  const { project, isTypeScript } = input
  const source = project.has('src/app') || (!project.has('app') && project.has('src')) ? 'src/' : ''
  const hasProxy = (project.majorOf('next') ?? FIRST_WITH_PROXY) >= FIRST_WITH_PROXY
  const script = isTypeScript ? 'ts' : 'js'
  const component = isTypeScript ? 'tsx' : 'jsx'
  const config = `${source === '' ? '..' : '../..'}/${configImport(input, 'bundler')}`
  const hasModule = (path: string): boolean =>
    ['tsx', 'ts', 'jsx', 'js'].some((ending) => project.has(`${source}${path}.${ending}`))
  const home: TemplateFile = {
    path: `${source}app/page.${component}`,
    text: HOME,
    marker: /auth\/login/,
    lines: '<a href="/auth/login?returnTo=/">Sign in</a>',
  }
  const hasHome = hasModule('app/page') || hasModule('pages/index')
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
    { path: `${source}app/points/actions.${script}`, text: pointActionsOf(isTypeScript) },
    { path: `${source}app/points/page.${component}`, text: POINTS },
  ]
  if (!hasHome) files.push(home)
  if (!hasModule('app/layout')) files.push({ path: `${source}app/layout.${component}`, text: layoutOf(isTypeScript) })
  if (isTypeScript && !project.has('tsconfig.json')) files.push({ path: 'tsconfig.json', text: TSCONFIG })
  return {
    files,
    starter: hasHome ? [home] : [],
    ...(hasHome && { firstPage: '/profile' }),
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
  return `/**
 * Sends visitors without a valid ticket to sign-in before Next renders a page. It checks signature and expiry, without
 * Redis: pages and handlers still check the session with requireUser and withUser.
 */
import { hasTicket } from 'coatcheck/next'
import { NextResponse${request} } from 'next/server'
import { auth } from './lib/auth'

export function ${name}(${parameter})${answer} {
  if (hasTicket(auth, request)) return NextResponse.next()
  const url = new URL('/auth/login', auth.http.config().baseUrl)
  url.searchParams.set('returnTo', request.nextUrl.pathname + request.nextUrl.search)
  return NextResponse.redirect(url, 303)
}

/** The paths that send visitors to sign-in: add the pages of your own. */
export const config = { matcher: ['/profile', '/points']${runtime} }
`
}

const INSTRUMENTATION = `import { isCoatcheckError } from 'coatcheck'

/**
 * Next calls this once, before the first request. If it rejects, Next answers every request with 500 until a restart.
 * So a wrong configuration ends the process. While Redis is down, the application runs, and answers 503 where it needs it.
 */
export async function register() {
  if (process.env.NEXT_RUNTIME === 'nodejs') {
    const { auth } = await import('./lib/auth')
    try {
      await auth.ready()
    } catch (error) {
      if (!isCoatcheckError(error)) throw error
      console.error(error)
      if (!error.retryable) process.exit(1)
    }
  }
}
`

const HOME = `import { getSession } from 'coatcheck/next'
import Link from 'next/link'
import { Suspense } from 'react'
import { auth } from '../lib/auth'

/** Next sends everything outside of <Suspense> at once. The part inside follows when Redis has answered. */
export default function Home() {
  return (
    <main style={{ boxSizing: 'border-box', margin: '0 auto', maxWidth: '40rem', padding: '1rem', width: '100%' }}>
      <Suspense fallback={<p>Loading…</p>}>
        <Welcome />
      </Suspense>
    </main>
  )
}

async function Welcome() {
  const { user } = await getSession(auth)
  if (!user) {
    return (
      <>
        <h1 style={{ fontSize: '1.5rem', fontWeight: 600 }}>Welcome</h1>
        <p>
          <a href="/auth/login?returnTo=/" style={{ textDecoration: 'underline' }}>
            Sign in
          </a>
        </p>
      </>
    )
  }
  return (
    <>
      <h1 style={{ fontSize: '1.5rem', fontWeight: 600 }}>Welcome, {String(user.name ?? user.id)}</h1>
      <p>
        <Link href="/profile" style={{ textDecoration: 'underline' }}>
          Profile
        </Link>
      </p>
      <form method="post" action="/auth/logout">
        <button style={{ border: '1px solid', borderRadius: '0.5rem', cursor: 'pointer', padding: '0.25rem 0.75rem' }}>
          Sign out
        </button>
      </form>
    </>
  )
}
`

const PROFILE = `import { requireUser } from 'coatcheck/next'
import Link from 'next/link'
import { Suspense } from 'react'
import { auth } from '../../lib/auth'

export const metadata = { title: 'Profile' }

/** Write your own pages like this one: whatever reads the session stays inside <Suspense>. */
export default function ProfilePage() {
  return (
    <main style={{ boxSizing: 'border-box', margin: '0 auto', maxWidth: '40rem', padding: '1rem', width: '100%' }}>
      <h1 style={{ fontSize: '1.5rem', fontWeight: 600 }}>Profile</h1>
      <Suspense fallback={<p>Loading…</p>}>
        <Profile />
      </Suspense>
    </main>
  )
}

/** Redirects visitors to sign-in. Afterwards they come back to \`returnTo\`. */
async function Profile() {
  const { user } = await requireUser(auth, { returnTo: '/profile' })
  return (
    <>
      <p>You are signed in as {String(user.name ?? user.id)}.</p>
      <p>
        <Link href="/points" style={{ textDecoration: 'underline' }}>
          Points
        </Link>
      </p>
      <pre style={{ overflowWrap: 'anywhere', whiteSpace: 'pre-wrap' }}>{JSON.stringify(user, null, 2)}</pre>
      <form method="post" action="/auth/logout">
        <button style={{ border: '1px solid', borderRadius: '0.5rem', cursor: 'pointer', padding: '0.25rem 0.75rem' }}>
          Sign out
        </button>
      </form>
    </>
  )
}
`

/** Server actions that read and write a session value, and sign out. */
function pointActionsOf(isTypeScript: boolean): string {
  const returned = isTypeScript ? ': Promise<void>' : ''
  return `'use server'
import { getVisit, requireUser } from 'coatcheck/next'
import { revalidatePath } from 'next/cache'
import { redirect } from 'next/navigation'
import { auth } from '../../lib/auth'

export async function addPoint()${returned} {
  const { session } = await requireUser(auth, { returnTo: '/points' })
  await session.update((data) => {
    data.points = Number(data.points ?? 0) + 1
  })
  revalidatePath('/points')
}

export async function signOut()${returned} {
  const visit = await getVisit(auth)
  await visit.signOut()
  redirect('/')
}
`
}

const POINTS = `import { requireUser } from 'coatcheck/next'
import { Suspense } from 'react'
import { auth } from '../../lib/auth'
import { addPoint, signOut } from './actions'

export const metadata = { title: 'Points' }

export default function PointsPage() {
  return (
    <main style={{ boxSizing: 'border-box', margin: '0 auto', maxWidth: '40rem', padding: '1rem', width: '100%' }}>
      <h1 style={{ fontSize: '1.5rem', fontWeight: 600 }}>Points</h1>
      <Suspense fallback={<p>Loading…</p>}>
        <Points />
      </Suspense>
    </main>
  )
}

async function Points() {
  const { session } = await requireUser(auth, { returnTo: '/points' })
  return (
    <>
      <p>You have {Number(session.data.points ?? 0)} points.</p>
      <form action={addPoint}>
        <button style={{ border: '1px solid', borderRadius: '0.5rem', cursor: 'pointer', padding: '0.25rem 0.75rem' }}>
          Add a point
        </button>
      </form>
      <form action={signOut}>
        <button style={{ border: '1px solid', borderRadius: '0.5rem', cursor: 'pointer', padding: '0.25rem 0.75rem' }}>
          Sign out
        </button>
      </form>
    </>
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
      <body style={{ fontFamily: 'system-ui, sans-serif', lineHeight: 1.5, margin: 0 }}>{children}</body>
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
