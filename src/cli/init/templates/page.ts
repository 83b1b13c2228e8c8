/** The two pages of a starter: the home page with sign-in, and the profile of the user with a number from the session. */

/** A module that exports `home` and `profile`; it needs no script in the browser. */
export function pageModule(isTypeScript: boolean): string {
  const importType = isTypeScript ? `import type { User } from 'coatcheck'\n\n` : ''
  const typed = (type: string): string => (isTypeScript ? `: ${type}` : '')
  return `/** The pages: home, and the profile of the user. */
${importType}export function home(user${typed('User | null')})${typed('string')} {
  if (!user) return page('Welcome', '<p><a class="button" href="/auth/login?returnTo=/">Sign in</a></p>')
  return page(
    \`Welcome, \${nameOf(user)}\`,
    \`<p><a href="/profile">Profile</a></p>
    <form method="post" action="/auth/logout"><button class="button">Sign out</button></form>\`,
  )
}

export function profile(user${typed('User')}, visits${typed('number')})${typed('string')} {
  const rows = Object.entries(user).map(([name, value]) => \`<dt>\${escape(name)}</dt><dd>\${escape(shown(value))}</dd>\`)
  return page(nameOf(user), \`<dl>\${rows.join('')}</dl>
    <p>You have opened this page \${visits} times.</p>
    <p><a href="/">Home</a></p>\`)
}

const nameOf = (user${typed('User')})${typed('string')} => String(user.name ?? user.id)
const shown = (value${typed('unknown')})${typed('string')} => (typeof value === 'string' ? value : JSON.stringify(value) ?? '')

/** @param heading is escaped here; \`content\` must be escaped already */
function page(heading${typed('string')}, content${typed('string')})${typed('string')} {
  return \`<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <title>\${escape(heading)}</title>
  <style>\${STYLE}</style>
</head>
<body>
  <main>
    <h1>\${escape(heading)}</h1>
    \${content}
  </main>
</body>
</html>\`
}

function escape(text${typed('string')})${typed('string')} {
  return text.replace(/[&<>"']/g, (character) => \`&#\${character.charCodeAt(0)};\`)
}

const STYLE = \`
  :root { color-scheme: light dark; --accent: #1d4ed8; --on-accent: #fff; font: 1rem/1.5 system-ui, sans-serif; }
  @media (prefers-color-scheme: dark) { :root { --accent: #93c5fd; --on-accent: #172033; } }
  body { margin: 0; overflow-wrap: anywhere; }
  main { max-width: 40rem; margin: 10vh auto; padding: 0 1.5rem; }
  h1 { line-height: 1.2; }
  dt { font-weight: 600; }
  dd { margin: 0 0 0.75rem; }
  .button { display: inline-block; padding: 0.5rem 1rem; border: 0; border-radius: 0.4rem; cursor: pointer;
    background: var(--accent); color: var(--on-accent); font: inherit; text-decoration: none; }
\`
`
}
