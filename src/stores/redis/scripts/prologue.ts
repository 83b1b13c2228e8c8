/**
 * How every script that has a deadline begins. `now` is the server's clock in epoch ms; a script that arrives after
 * ARGV[1] (`notAfter`, 0: never too late) does nothing and answers `late`; ARGV[2] moves `now` for tests that travel in time.
 * `redis/script-runner.ts` puts both arguments in front and understands the answer.
 */
export const PROLOGUE = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
if tonumber(ARGV[1]) > 0 and now > tonumber(ARGV[1]) then return {'late'} end
now = now + tonumber(ARGV[2])
`
