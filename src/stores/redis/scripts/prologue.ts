/**
 * Common beginning of every script with a deadline. `now` is the server's clock in epoch ms. A script that arrives after
 * `not_after` (0: never too late) does nothing and replies `late`. `time_shift` changes `now` for tests. `redis/script-runner.ts` passes
 * both arguments and interprets the reply.
 * ARGV 1 `not_after`, epoch ms · 2 `time_shift`, ms
 */
export const PROLOGUE = `
local not_after, time_shift = tonumber(ARGV[1]), tonumber(ARGV[2])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
if not_after > 0 and now > not_after then return {'late'} end
now = now + time_shift
`
