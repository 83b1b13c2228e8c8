import { createHash, randomBytes } from 'node:crypto'
import { expect, it } from 'vitest'
import { weakKeysOf } from './key-strength.ts'

const weak = (bytes: Buffer): string | undefined => weakKeysOf(`k:${bytes.toString('base64')}`)[0]?.is

it.each([
  ['a pass phrase', Buffer.from('correct horse battery staple! 32'), /text that can be read/],
  ['hexadecimal digits', Buffer.from(createHash('md5').update('x').digest('hex')), /text that can be read/],
  ['counting', Buffer.from(Array.from({ length: 32 }, (_, i) => i)), /sequence/],
  ['counting down in threes', Buffer.from(Array.from({ length: 32 }, (_, i) => (250 - 3 * i) & 0xff)), /sequence/],
  ['eight bytes, four times', Buffer.concat(Array<Buffer>(4).fill(Buffer.from('00ff10af32809b77', 'hex'))), /few/],
])('%s is weak', (_what, bytes, is) => {
  expect(weak(bytes)).toMatch(is)
})

it('takes what was drawn', () => {
  for (let i = 0; i < 2000; i++) expect(weak(randomBytes(32))).toBeUndefined()
})

it('names the weak one of a ring by its id', () => {
  const good = randomBytes(32).toString('base64')
  const counted = Buffer.from(Array.from({ length: 32 }, (_, i) => i)).toString('base64')
  expect(weakKeysOf(`a:${good},b:${counted},names:${randomBytes(32).toString('base64')}`).map(({ id }) => id)).toEqual([
    'b',
  ])
})
