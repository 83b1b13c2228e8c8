/** Once, before the first request: a misconfiguration ends here, and says what to set. */
export async function register(): Promise<void> {
  if (process.env.NEXT_RUNTIME !== 'nodejs') return
  const { auth } = await import('./lib/auth')
  await auth.ready()
}
