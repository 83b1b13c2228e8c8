import { expect, test } from 'vitest'
import { nextCommand } from './next-command.ts'

test('keeps the flags of the look, and quotes what a shell would change', () => {
  const flags = { from: 'guide', oldKey: "user's:<id>", users: true, dryRun: true, json: true, write: undefined }
  expect(nextCommand('migrate tokens', flags, { mode: 'move' })).toBe(
    "npx coatcheck migrate tokens --from guide --old-key 'user'\\''s:<id>' --mode move --write",
  )
})

test('keeps a flag that says no', () => {
  expect(nextCommand('migrate sessions', { from: 'koa-session', users: false })).toBe(
    'npx coatcheck migrate sessions --from koa-session --no-users --write',
  )
})
