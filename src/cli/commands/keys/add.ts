/**
 * `coatcheck keys add`: creates a further key for the ring, with the `names:` entry that a ring of two keys needs. It prints only the new
 * entries. It writes no file, because only the operator knows where secrets are stored.
 */
import type { Command } from 'commander'
import { addKey, configuredKeys } from '../../../entries/admin.ts'
import { systemRandom } from '../../../core/random.ts'
import type { Cli } from '../../cli.ts'

export function addRingKey(cli: Cli): Command {
  return cli
    .command<{ id?: string }>(
      'add',
      'draw a further encryption key, and print what COATCHECK_KEYS needs besides',
      [['coatcheck keys add --id 2027', 'a key that records name "2027"']],
      async (context, { id }) => {
        const { output } = context
        const { options } = await context.config()
        const added = addKey(configuredKeys(options), systemRandom, id)
        output.data(added, () => [added.entry, ...(added.namesEntry === null ? [] : [added.namesEntry])].join('\n'))
        if (output.isJson) return
        const both = added.namesEntry === null ? 'this entry' : 'these entries, the second one for good,'
        output.note(
          [
            `1. Put ${both} behind the keys of COATCHECK_KEYS, and restart all processes: each opens what others will seal.`,
            '2. Move the new key to the front, and restart all processes: they seal with it.',
            '3. coatcheck keys rotate puts what is stored under it, and says when the old key can go.',
          ].join('\n'),
        )
      },
    )
    .option('--id <id>', 'how records name the key: up to 32 letters, digits, ".", "_" and "-"')
}
