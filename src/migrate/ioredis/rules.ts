/** All rules, in the order in which the documentation shows them. */
import type { CallRule, Rule } from './rule.ts'
import { callRawRule } from './rules/call-raw.ts'
import { chainsRule } from './rules/chains.ts'
import { commandRule } from './rules/command.ts'
import { connectionRule } from './rules/connection.ts'
import { constructionRule } from './rules/construction.ts'
import { eventsRule } from './rules/events.ts'
import { flowRule } from './rules/flow.ts'
import { importsRule } from './rules/imports.ts'
import { membersRule } from './rules/members.ts'
import { nativeRule } from './rules/native.ts'
import { otherMembersRule } from './rules/other-members.ts'
import { scanStreamsRule } from './rules/scan-streams.ts'
import { scriptsRule } from './rules/scripts.ts'
import { setRule } from './rules/set.ts'
import { subscriptionsRule } from './rules/subscriptions.ts'
import { testDoublesRule } from './rules/test-doubles.ts'
import { typesRule } from './rules/types.ts'

/**
 * Rules about calls. A rule is tried if its `members` has the name of the method, in this order. `commandRule` is tried last, for every
 * command of Redis: it rewrites `redis.zadd(…)` to `command(redis, 'zadd', …)`.
 */
const callRules: readonly CallRule[] = [
  setRule,
  connectionRule,
  chainsRule,
  subscriptionsRule,
  scanStreamsRule,
  scriptsRule,
  eventsRule,
  nativeRule,
  otherMembersRule,
  callRawRule,
  commandRule,
]

export const rules: readonly Rule[] = [
  importsRule,
  constructionRule,
  typesRule,
  ...callRules,
  membersRule,
  flowRule,
  testDoublesRule,
]

const byMember = new Map<string, CallRule[]>()
for (const rule of callRules) {
  for (const member of rule.members) byMember.set(member, [...(byMember.get(member) ?? []), rule])
}

/** Rules to try for a method, in order. */
export function rulesFor(member: string): readonly CallRule[] {
  return [...(byMember.get(member) ?? []), commandRule]
}
