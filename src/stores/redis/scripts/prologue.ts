/**
 * Common beginning of every script with a deadline. `now` is the server's clock in epoch ms. A script that arrives after ARGV[1]
 * (`notAfter`, 0: never too late) does nothing and replies `late`. ARGV[2] shifts `now` for tests. `redis/script-runner.ts` passes both
 * arguments and interprets the reply.
 */
export const PROLOGUE = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
if tonumber(ARGV[1]) > 0 and now > tonumber(ARGV[1]) then return {'late'} end
now = now + tonumber(ARGV[2])
`
