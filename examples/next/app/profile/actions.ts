'use server'
/** Changes the session from a form. Committed when `set` resolves; the page that is rendered next shows it. */
import { requireUser } from 'coatcheck/next'
import { revalidatePath } from 'next/cache'
import { auth } from '../../lib/auth'

export async function rename(form: FormData): Promise<void> {
  const { session } = await requireUser(auth, { returnTo: '/profile' })
  const given = form.get('nickname')
  const nickname = typeof given === 'string' ? given.trim().slice(0, 40) : ''
  if (nickname === '') await session.delete('nickname')
  else await session.set('nickname', nickname)
  revalidatePath('/', 'layout')
}
