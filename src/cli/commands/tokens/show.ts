/** `coatcheck tokens show`: shows the tokens of a user, by resource. */
import type { Command } from 'commander'
import { tokensOf, type UserTokensStatus } from '../../../entries/admin.ts'
import type { Cli } from '../../cli.ts'
import { exitCode } from '../../exit-code.ts'
import type { Column, Output } from '../../output.ts'
import { type UserFlags, userOf, withUserFlags } from '../../user-flags.ts'
import { span, when } from '../../wording.ts'

type Status = UserTokensStatus['providers'][number]
type Resource = Status['resources'][number]

interface Row {
  readonly status: Status
  /** `null`: the provider has a grant and no access token. */
  readonly resource: Resource | null
}

export function showTokens(cli: Cli): Command {
  const command = cli.command<UserFlags>(
    'show',
    'tokens of a user: resource, scopes, validity, last refresh',
    [
      ['coatcheck tokens show --user ada', 'names, times and outcomes, never a token'],
      ['coatcheck tokens show --user ada --json', 'the same for a program, times in epoch ms'],
    ],
    async (context, flags) => {
      const { output } = context
      const admin = await context.admin()
      const { userKey, label } = userOf(admin, flags)
      const all = await tokensOf(admin, userKey)
      const providers = all.filter(({ provider }) => flags.provider === undefined || provider === flags.provider)
      output.data({ userKey, providers }, () => tokensText(output, providers, admin.clock.now()))
      if (providers.length > 0) return exitCode.ok
      if (!output.isJson) output.note(`No tokens of ${label}.`)
      return exitCode.failed
    },
  )
  return withUserFlags(command)
}

function tokensText(output: Output, providers: readonly Status[], nowMs: number): string {
  if (providers.length === 0) return ''
  const rows = providers.flatMap((status): Row[] =>
    status.resources.length === 0
      ? [{ status, resource: null }]
      : status.resources.map((resource) => ({ status, resource })),
  )
  const keyIds = new Set(providers.flatMap(({ keyId, resources }) => [keyId, ...resources.map((one) => one.keyId)]))
  const sealedBy = [...keyIds].filter((id) => id !== null).join(', ')
  return `${output.table(columnsAt(nowMs, providers.length > 1), rows)}\nNo token is shown; sealed with key ${sealedBy}.`
}

function columnsAt(nowMs: number, hasSeveral: boolean): readonly Column<Row>[] {
  return [
    ...(hasSeveral ? [{ title: 'PROVIDER', value: ({ status }: Row) => status.provider }] : []),
    { title: 'RESOURCE', value: ({ resource }) => (resource === null ? '' : resource.resource || '(sign-in)') },
    { title: 'SCOPES', value: ({ resource }) => resource?.scopes.join(' ') ?? '' },
    { title: 'ACCESS TOKEN', value: ({ resource }) => validity(resource, nowMs) },
    { title: 'REFRESH TOKEN', value: ({ status }) => (status.hasRefreshToken ? 'present' : 'none') },
    { title: 'LAST REFRESH', value: ({ status }) => lastRefreshText(status, nowMs) },
  ]
}

function validity(resource: Resource | null, nowMs: number): string {
  return resource === null ? 'none' : `valid ${span(resource.expiresAt - nowMs)}`
}

/** For example `18 min ago, refreshed`. */
export function lastRefreshText({ lastRefresh }: Status, nowMs: number): string {
  if (lastRefresh === null) return 'none yet'
  return `${when(lastRefresh.at, nowMs)}, ${outcomeText(lastRefresh)}`
}

/** `refreshed`, or the failure with the provider's codes: `invalid-grant (invalid_grant, AADSTS50173)`. */
export function outcomeText({ outcome, error, providerCode }: NonNullable<Status['lastRefresh']>): string {
  const said = [error, providerCode].filter((text) => text !== null)
  return said.length === 0 ? outcome : `${outcome} (${said.join(', ')})`
}
