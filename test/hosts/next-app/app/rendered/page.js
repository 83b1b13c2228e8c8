import { getSession, getVisit, requireUser } from 'coatcheck/next'
import { auth } from '../../auth.js'
import { change, signIn } from './action.js'

export async function generateMetadata() {
  const { user } = await getSession(auth)
  return { title: user?.id ?? 'nobody' }
}

async function Part() {
  return <i>{(await getSession(auth)).id}</i>
}

/** What a server component can do and cannot: `?do=write` changes data, `?do=sign-in` wants a cookie, `?do=require` a user. */
export default async function Page({ searchParams }) {
  const { do: wanted } = await searchParams
  if (wanted === 'require') await requireUser(auth, { returnTo: '/rendered?do=require' })
  const session = await getSession(auth)
  let outcome = 'read'
  let told = null
  try {
    if (wanted === 'write') await session.set('fromPage', 'yes')
    if (wanted === 'sign-in') await (await getVisit(auth)).signIn({ userId: 'page' })
  } catch (error) {
    outcome = error.code
    told = { code: error.code, what: error.message, why: error.why, fix: error.fix }
  }
  return (
    <main>
      <p id="outcome">{outcome}</p>
      <pre id="told">{JSON.stringify(told)}</pre>
      <pre id="data">{JSON.stringify(session.data)}</pre>
      <Part />
      <Part />
      <form action={change}>
        <input name="value" defaultValue="1" />
        <button>Change</button>
      </form>
      <form action={signIn}>
        <button>Sign in</button>
      </form>
    </main>
  )
}
