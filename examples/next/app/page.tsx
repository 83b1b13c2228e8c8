/** The first page: an invitation for visitors, an overview for users. */
import type { User } from 'coatcheck'
import { getSession } from 'coatcheck/next'
import { nameOf, Page } from '../components/page'
import { auth } from '../lib/auth'

const cards = [
  { href: '/profile', title: 'Profile', text: 'Who the identity provider says you are, and what we call you.' },
  { href: '/orders', title: 'Orders', text: 'Fetched from a protected API with your own access token.' },
  { href: '/tokens', title: 'Tokens', text: 'For which API, until when, last refreshed when. Never the token itself.' },
  { href: '/devices', title: 'Devices', text: 'Where you are signed in. End any of them from here.' },
]

export default async function Home() {
  const { user, data } = await getSession(auth)
  return (
    <Page path="/" user={user}>
      {user ? <Overview name={data.nickname ?? firstName(user)} /> : <Invitation />}
    </Page>
  )
}

function Invitation() {
  return (
    <>
      <section className="hero">
        <p className="kicker">Coatcheck with Next.js</p>
        <h1>
          Hand in your coat,
          <br />
          keep the ticket.
        </h1>
        <p className="lead">
          Sign in, and your session and tokens stay on the server. Your browser gets one cookie that says nothing about
          you.
        </p>
        <p>
          <a className="button" href="/auth/login?returnTo=/">
            Sign in
          </a>
        </p>
      </section>
      <section className="ticket" aria-hidden="true">
        <span>No.</span>
        <strong>0427</strong>
        <span>Admit the owner</span>
      </section>
    </>
  )
}

function Overview({ name }: { readonly name: string }) {
  return (
    <>
      <h1>Welcome, {name}.</h1>
      <p className="lead">You are signed in. Reload as often as you like: the session lives on the server.</p>
      <ul className="cards">
        {cards.map(({ href, title, text }) => (
          <li key={href}>
            <a href={href}>
              <strong>{title}</strong>
              <span>{text}</span>
            </a>
          </li>
        ))}
      </ul>
    </>
  )
}

function firstName(user: User): string {
  return nameOf(user).split(' ')[0] ?? 'You'
}
