'use server'
/** Changes the session from a form. The change is stored when `set` resolves; the redirect leads to a page that says so. */
import { requireUser } from 'coatcheck/next'
import { revalidatePath } from 'next/cache'
import { redirect } from 'next/navigation'
import { auth } from '../../lib/auth'

export async function rename(form: FormData): Promise<void> {
  const { session } = await requireUser(auth, { returnTo: '/profile' })
  const given = form.get('nickname')
  const nickname = typeof given === 'string' ? given.trim().slice(0, 40) : ''
  if (nickname === '') await session.delete('nickname')
  else await session.set('nickname', nickname)
  revalidatePath('/', 'layout')
  redirect('/profile?saved=1')
}
