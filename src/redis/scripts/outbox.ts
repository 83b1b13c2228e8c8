/**
 * Moving grants to the outbox of refresh tokens that are to be revoked at their provider, as part of the script that deletes
 * them. `held(tokens, first, last)` reads the grants of the providers named in ARGV[first..last] before anything is deleted;
 * `post(out, life, grants)` writes them afterwards, which a full server lets through then. The sealed bytes stay as they are:
 * they open under the name that they were sealed for, which is that of their user and field.
 *
 * Outbox: a hash, `<provider>:<nonce of the record>` to record.
 */
export const OUTBOX = `
local function held(tokens, first, last)
  local grants = {}
  for i = first, last do
    local record = redis.call('HGET', tokens, 'grant:' .. ARGV[i])
    if record then grants[#grants + 1] = {ARGV[i] .. ':' .. string.sub(record, 14, 25), record} end
  end
  return grants
end
local function post(out, life, grants)
  for _, grant in ipairs(grants) do redis.call('HSET', out, grant[1], grant[2]) end
  if #grants > 0 then redis.call('PEXPIRE', out, life) end
end
`
