/**
 * Moves grants to the outbox of refresh tokens that must be revoked at their provider, within the script that deletes them. `grants_of(tokens,
 * first, last)` reads the grants of the providers named in ARGV[first..last] before the deletion. `post(outbox, life, grants)` writes them
 * afterwards; a full server then accepts the write. The sealed bytes stay unchanged: they open under the name of their user and field, for
 * which they were sealed.
 *
 * Outbox: a hash that maps `<provider>:<nonce of the record>` to the record.
 *
 * Another Redis client may have put a value of another type under either key. Tokens of another type hold no grant. An outbox of another
 * type is replaced, so that the script that ends sessions does not fail.
 */
import { END_OF_LIFE_BYTES } from '../../../keyring/record-layout.ts'
import { nonceRange } from './record-parts.ts'

export const OUTBOX = `
local function grants_of(tokens, first, last)
  local grants = {}
  for i = first, last do
    local provider = ARGV[i]
    local record = redis.pcall('HGET', tokens, 'grant:' .. provider)
    if type(record) == 'string' then grants[#grants + 1] = {provider .. ':' .. string.sub(record, ${nonceRange(END_OF_LIFE_BYTES)}), record} end
  end
  return grants
end
local function post(outbox, life, grants)
  if #grants == 0 then return end
  if type(redis.pcall('HLEN', outbox)) ~= 'number' then redis.call('UNLINK', outbox) end
  for _, grant in ipairs(grants) do redis.call('HSET', outbox, grant[1], grant[2]) end
  redis.call('PEXPIRE', outbox, life)
end
`
