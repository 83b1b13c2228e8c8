/** `coatcheck keys`: commands for the keys in Redis and the encryption keys: scan, explain, repair, add, re-encrypt. */
import type { Command } from 'commander'
import type { Cli } from '../cli.ts'
import { addRingKey } from './keys/add.ts'
import { explainOneKey } from './keys/explain.ts'
import { repairAll } from './keys/repair.ts'
import { rotateAll } from './keys/rotate.ts'
import { scanKeys } from './keys/scan.ts'

export function keys(cli: Cli): Command {
  const below = [scanKeys(cli), explainOneKey(cli), repairAll(cli), addRingKey(cli), rotateAll(cli)]
  return cli.group('keys', 'what lies in Redis; adding an encryption key and re-encrypting with it', below)
}
