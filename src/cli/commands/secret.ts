/** `coatcheck secret`: creates a key for `COATCHECK_KEYS`. */
import type { Command } from 'commander'
import { systemRandom } from '../../core/random.ts'
import type { Cli } from '../cli.ts'

const KEY_BYTES = 32

export function secret(cli: Cli): Command {
  return cli.command(
    'secret',
    'draw a key for COATCHECK_KEYS',
    [['coatcheck secret', '32 random bytes in base64: one key of the ring']],
    async ({ output }) => {
      const key = systemRandom.bytes(KEY_BYTES).toString('base64')
      output.data({ key }, () => key)
      output.note('Keep it where your other secrets are. To add a key to a ring that is in use: coatcheck keys add.')
    },
  )
}
