import { isCoatcheckError } from 'coatcheck'

/**
 * Next calls this once, before the first request. If it rejects, Next answers every request with 500 until a restart.
 * So a wrong configuration ends the process. While Redis is down, the application runs, and answers 503 where it needs it.
 */
export async function register(): Promise<void> {
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
