'use server'
import { getSession, getVisit } from 'coatcheck/next'
import { auth } from '../../auth.js'

export async function change(form) {
  const session = await getSession(auth)
  await session.set('fromAction', String(form.get('value')))
}

export async function signIn() {
  await (await getVisit(auth)).signIn({ userId: 'action' })
}
