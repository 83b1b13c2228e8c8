import { Page } from '../components/page'

export default function NotFound() {
  return (
    <Page path="">
      <section className="hero">
        <p className="kicker">Sorry</p>
        <h1>There is nothing here</h1>
        <p className="lead">No page has this address. A link may be old, or a letter wrong.</p>
        <p>
          <a className="button" href="/">
            Back to the first page
          </a>
        </p>
      </section>
    </Page>
  )
}
