/** What all pages have: the bar with its links and who is signed in. */
import type { User } from 'coatcheck'
import type { ReactNode } from 'react'

const links = [
  { href: '/', text: 'Home' },
  { href: '/profile', text: 'Profile' },
  { href: '/orders', text: 'Orders' },
  { href: '/tokens', text: 'Tokens' },
  { href: '/devices', text: 'Devices' },
]

interface PageProps {
  readonly path: string
  /** `null`: nobody is signed in. Left out: the page does not ask, and works while the store is down. */
  readonly user?: User | null
  readonly children: ReactNode
}

export function Page({ path, user, children }: PageProps) {
  return (
    <>
      <a className="skip" href="#main">
        Skip to content
      </a>
      <header>
        <div className="bar">
          <a className="brand" href="/">
            <img src="/favicon.svg" alt="" width="30" height="30" />
            Cloakroom
          </a>
          {user && (
            <nav aria-label="Pages">
              <ul>
                {links.map(({ href, text }) => (
                  <li key={href}>
                    <a href={href} aria-current={href === path ? 'page' : undefined}>
                      {text}
                    </a>
                  </li>
                ))}
              </ul>
            </nav>
          )}
          {user && (
            <form className="account" method="post" action="/auth/logout">
              <span className="name">{nameOf(user)}</span>
              <button className="small">Sign out</button>
            </form>
          )}
          {user === null && (
            <a className="button small" href="/auth/login?returnTo=/">
              Sign in
            </a>
          )}
        </div>
      </header>
      <main id="main" tabIndex={-1}>
        {children}
      </main>
      <footer>The browser holds a ticket. The server keeps the coat.</footer>
    </>
  )
}

export function nameOf(user: User): string {
  return String(user.name ?? user.preferred_username ?? 'You')
}
