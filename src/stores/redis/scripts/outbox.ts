/**
 * Moving grants to the outbox of refresh tokens that are to be revoked at their provider, as part of the script that deletes
 * them. `held(tokens, first, last)` reads the grants of the providers named in ARGV[first..last] before anything is deleted;
 * `post(out, life, grants)` writes them afterwards, which a full server lets through then. The sealed bytes stay as they are:
 * they open under the name that they were sealed for, which is that of their user and field.
 *
 * Outbox: a hash, `<provider>:<nonce of the record>` to record.
 *
 * A writer of Redis may have put a value of another type under either key. Tokens of another type hold no grant, and an outbox of
 * another type is replaced, so that the script that ends sessions does not fail.
 */
export const OUTBOX = `
local function held(tokens, first, last)
  local grants = {}
  for i = first, last do
    local record = redis.pcall('HGET', tokens, 'grant:' .. ARGV[i])
    if type(record) == 'string' then grants[#grants + 1] = {ARGV[i] .. ':' .. string.sub(record, 14, 25), record} end
  end
  return grants
end
local function post(out, life, grants)
  if #grants == 0 then return end
  if type(redis.pcall('HLEN', out)) ~= 'number' then redis.call('UNLINK', out) end
  for _, grant in ipairs(grants) do redis.call('HSET', out, grant[1], grant[2]) end
  redis.call('PEXPIRE', out, life)
end
`
