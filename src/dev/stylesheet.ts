/** The stylesheet of the development provider's pages: light and dark, narrow and wide, visible focus. */
export const stylesheet = `
:root {
  color-scheme: light dark;
  --ground: #f3f5f9; --card: #ffffff; --ink: #16202e; --quiet: #566377; --line: #dbe1ea;
  --accent: #1f5fbf; --accent-soft: #e6effb; --warn: #a13a12; --warn-soft: #fdeee6;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #10151d; --card: #19212c; --ink: #eaf0f8; --quiet: #a3b1c4; --line: #2c3847;
    --accent: #8ab8ff; --accent-soft: #20304a; --warn: #ffb08d; --warn-soft: #3d261b;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; min-height: 100vh; padding: 1.25rem; display: flex; flex-direction: column;
  align-items: center; justify-content: center; gap: 1rem;
  background: var(--ground); color: var(--ink); font: 1rem/1.5 system-ui, sans-serif;
}
main {
  width: 100%; max-width: 34rem; padding: 2rem; background: var(--card);
  border: 1px solid var(--line); border-radius: 16px; box-shadow: 0 12px 32px rgb(20 40 80 / 8%);
}
h1 { margin: .75rem 0 .5rem; text-wrap: balance; font-size: 1.6rem; line-height: 1.2; letter-spacing: -.01em; }
p { margin: 0 0 1rem; color: var(--quiet); overflow-wrap: anywhere; }
p strong { color: var(--ink); }
.badge {
  display: inline-block; margin: 0; padding: .15rem .65rem; border-radius: 99px;
  background: var(--accent-soft); color: var(--accent); font-size: .8rem; font-weight: 600;
}
code { font: .9em/1.5 ui-monospace, monospace; color: var(--ink); overflow-wrap: anywhere; }
ul { list-style: none; margin: 1.25rem 0 0; padding: 0; display: grid; gap: .6rem; }
li button, .row {
  width: 100%; display: flex; align-items: center; gap: .9rem; padding: .75rem .9rem; text-align: left;
  font: inherit; color: inherit; background: transparent; border: 1px solid var(--line); border-radius: 12px;
}
li button { cursor: pointer; }
li button:hover { background: var(--accent-soft); border-color: var(--accent); }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
.initials {
  flex: none; width: 2.5rem; height: 2.5rem; border-radius: 50%; display: grid; place-items: center;
  background: var(--accent-soft); color: var(--accent); font-weight: 700; font-size: .9rem;
}
.who { flex: 1; min-width: 0; display: flex; flex-direction: column; }
.mail { color: var(--quiet); font-size: .9rem; overflow-wrap: anywhere; }
.note { flex: none; max-width: 11rem; text-align: right; font-size: .8rem; color: var(--quiet); }
.note.warn { color: var(--warn); }
.primary {
  font: inherit; font-weight: 600; padding: .6rem 1.2rem; border: 0; border-radius: 10px; cursor: pointer;
  background: var(--accent); color: var(--card);
}
footer { color: var(--quiet); font-size: .85rem; text-align: center; text-wrap: balance; }
.actions { display: flex; justify-content: end; margin: 1.25rem 0 0; }
.secondary {
  font: inherit; font-weight: 600; padding: .5rem 1.1rem; border: 1px solid var(--quiet); border-radius: 10px;
  background: transparent; color: var(--ink); cursor: pointer; text-decoration: none;
}
.secondary:hover { background: var(--accent-soft); }
main:has(.fault) { max-width: 44rem; }
.summary { display: flex; flex-wrap: wrap; align-items: center; justify-content: space-between; gap: .5rem 1rem; min-height: 2.75rem; }
.summary p { margin: 0; }
.alert { padding: .75rem .9rem; border-radius: 12px; background: var(--warn-soft); color: var(--warn); }
.fault {
  display: flex; align-items: center; justify-content: space-between; gap: .75rem 1rem; padding: .9rem 1rem;
  border: 1px solid var(--line); border-radius: 12px;
}
.fault.on { border-color: var(--warn); }
.what { flex: 1; min-width: 0; }
.what p { margin: .15rem 0 .25rem; font-size: .95rem; }
.fault button { flex: none; width: auto; display: inline-block; padding: .45rem 1rem; text-align: center; font-weight: 600; border-radius: 10px; }
.fault .secondary { border-color: var(--quiet); color: var(--ink); }
.fault .primary { border-color: transparent; background: var(--accent); color: var(--card); }
.fault .primary:hover { background: var(--accent); filter: brightness(1.08); }
.state {
  display: inline-block; padding: 0 .55rem; border-radius: 99px; font-size: .8rem; font-weight: 600;
  background: var(--ground); color: var(--quiet);
}
.state.on { background: var(--warn-soft); color: var(--warn); }
.other { margin-top: 1.75rem; }
.other label { font-weight: 600; }
.entry { display: flex; flex-wrap: wrap; gap: .6rem; margin: .4rem 0 .6rem; }
.entry input {
  flex: 1 1 12rem; min-width: 0; padding: .5rem .8rem; font: 1rem/1.5 ui-monospace, monospace; color: var(--ink);
  background: var(--card); border: 1px solid var(--quiet); border-radius: 10px;
}
.hint { margin: 0; font-size: .85rem; }
.hint code { color: var(--quiet); }
@media (max-width: 30rem) {
  .fault { flex-direction: column; align-items: stretch; }
  main { padding: 1.25rem; }
  li button, .row { flex-wrap: wrap; gap: .25rem .9rem; }
  .note { flex-basis: 100%; max-width: none; text-align: left; padding-left: 3.4rem; }
}
`
