'use client'
/** Something did not work while a page was rendered. What exactly is in the server's log, by the digest. */
export default function Problem({
  error,
  reset,
}: {
  readonly error: Error & { digest?: string }
  readonly reset: () => void
}) {
  return (
    <main>
      <section className="hero">
        <p className="kicker">Sorry</p>
        <h1>One moment, please</h1>
        <p className="lead">The page could not be made. You are still signed in: try again in a moment.</p>
        <p>
          <button onClick={reset}>Try again</button>
        </p>
        {error.digest && (
          <p className="quiet">
            For support: <code>{error.digest}</code>
          </p>
        )}
      </section>
    </main>
  )
}
