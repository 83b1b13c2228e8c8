/**
 * A wall clock that is wrong, or stands still, for a process that is started here: a library that is loaded in front of the system's and moves what
 * it says. Needs a C compiler (`sh scripts/bootstrap.sh compiler`). Debian's libfaketime does not work with the allocator of Redis.
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

// Only the wall clock: a monotonic one has no hour to be wrong by.
const SOURCE = `
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static long skew(void) {
  static long seconds;
  static int is_known;
  if (!is_known) {
    const char *text = getenv("SKEW_SECONDS");
    seconds = text ? atol(text) : 0;
    is_known = 1;
  }
  return seconds;
}

int clock_gettime(clockid_t id, struct timespec *at) {
  static struct timespec stopped;
  int result = syscall(SYS_clock_gettime, id, at);
  if (result != 0 || (id != CLOCK_REALTIME && id != CLOCK_REALTIME_COARSE)) return result;
  at->tv_sec += skew();
  if (!getenv("CLOCK_STOPPED")) return result;
  if (stopped.tv_sec == 0) stopped = *at;
  *at = stopped;
  return result;
}

int gettimeofday(struct timeval *restrict at, void *restrict zone) {
  struct timespec now;
  (void)zone;
  clock_gettime(CLOCK_REALTIME, &now);
  at->tv_sec = now.tv_sec;
  at->tv_usec = now.tv_nsec / 1000;
  return 0;
}

time_t time(time_t *at) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  if (at) *at = now.tv_sec;
  return now.tv_sec;
}
`

export interface SkewedClock {
  /** Environment of a process whose clock is ahead by so many seconds, or behind by a negative number. */
  env(seconds: number): NodeJS.ProcessEnv
  /** Of one whose clock stands still from its start on. */
  stopped(): NodeJS.ProcessEnv
  remove(): void
}

export function createSkewedClock(): SkewedClock {
  const folder = mkdtempSync(join(tmpdir(), 'coatcheck-clock-'))
  const [source, library] = [join(folder, 'skew.c'), join(folder, 'skew.so')]
  writeFileSync(source, SOURCE)
  execFileSync('cc', ['-shared', '-fPIC', '-O2', '-o', library, source])
  return {
    env: (seconds) => ({ LD_PRELOAD: library, SKEW_SECONDS: String(seconds) }),
    stopped: () => ({ LD_PRELOAD: library, CLOCK_STOPPED: '1' }),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  }
}
