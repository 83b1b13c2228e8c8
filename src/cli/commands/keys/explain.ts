/** `coatcheck keys explain`: describes one Redis key. It never shows the content. */
import type { Command } from 'commander'
import { explainKey, type KeyExplanation, ORPHANS } from '../../../entries/admin.ts'
import type { Cli } from '../../cli.ts'
import { exitCode } from '../../exit-code.ts'
import type { Output } from '../../output.ts'
import { safeText } from '../../../core/redact.ts'
import { whole } from '../../../core/counted.ts'
import { size, span } from '../../wording.ts'

const SIZED: Readonly<Record<string, string>> = { string: 'bytes', hash: 'fields', zset: 'members' }

export function explainOneKey(cli: Cli): Command {
  return cli.command<object>(
    'explain <key>',
    'what a key is, whose, how long it lives, who reads it',
    [["coatcheck keys explain 'user:{bqNpcWi8s91emSnb}:gen'", 'the quotes are for the shell']],
    async (context, _flags, key = '') => {
      const { output } = context
      const explanation = await explainKey(await context.admin(), key)
      output.data(explanation, () => textOf(output, explanation))
      return explanation.exists && explanation.family !== null ? exitCode.ok : exitCode.failed
    },
  )
}

function textOf(output: Output, found: KeyExplanation): string {
  const { type, lifeMs, size: count, bytes, exists, family, sealedBy } = found
  const lines: (readonly [string, string | null])[] = [
    ['key', safeText(found.key)],
    ['family', family ?? 'none of Coatcheck'],
    ['what', found.what],
    ['read by', found.readBy],
    ['user key', found.userKey],
    ['session', found.sessionId],
    ['exists', exists ? null : 'no'],
    ['type', exists ? type : null],
    ['ends', exists ? (lifeMs === null ? 'never' : `in ${span(lifeMs)}`) : null],
    ['size', exists ? `${whole(count)} ${SIZED[type] ?? 'elements'}, ${size(bytes)} of memory` : null],
    ['sealed by', sealedBy.length === 0 ? null : `key ${sealedBy.join(', ')}`],
    ['orphans', found.orphans.length === 0 ? null : found.orphans.map((kind) => ORPHANS[kind]).join('; ')],
  ]
  const shown = lines.filter((line): line is readonly [string, string] => line[1] !== null)
  return shown.map(([name, value]) => `${output.paint('dim', name.padEnd(9))}  ${value}`).join('\n')
}
