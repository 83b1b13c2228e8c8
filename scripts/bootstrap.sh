#!/bin/sh
# Brings a bare machine to where the npm scripts can run: Node packages always, Debian packages when asked for.
#
#   sh scripts/bootstrap.sh [redis] [browser] [compiler] [prometheus]
#
# Does nothing, in a tenth of a second, when nothing is missing. Of several that run at once one installs and the others
# wait. REDIS_SERVER_BIN and CHROMIUM_PATH name programs of your own, which then need not be installed.
set -eu

cd "$(dirname -- "$0")/.."
lock=.bootstrap.lock

# Written after `npm ci`, which removes the folder. scripts/test-summary.mjs prints and removes it.
installed=node_modules/.cache/coatcheck/installed
record() {
  mkdir -p "$(dirname "$installed")"
  printf '%s\n' "$*" >>"$installed"
}

say() { printf 'bootstrap: %s\n' "$*" >&2; }
fail() {
  say "$*"
  exit 1
}

any_of() {
  for program in "$@"; do
    if command -v "$program" >/dev/null 2>&1; then return 0; fi
  done
  return 1
}

# --- what is missing ---------------------------------------------------------------------------------------------

npm_packages_match() {
  state=0
  node scripts/dependencies-state.mjs || state=$?
  case $state in
    0) return 0 ;;
    10) return 1 ;;
    11) fail "Node 20.19 or later is needed, and this is $(node -v)" ;;
    *) fail "scripts/dependencies-state.mjs ended with $state" ;;
  esac
}

# Prints the Debian packages that the given needs lack.
missing_programs() {
  for need in "$@"; do
    case $need in
      redis) [ -n "${REDIS_SERVER_BIN:-}" ] || any_of redis-server valkey-server || echo redis-server redis-tools ;;
      # promtool comes with it.
      prometheus) any_of prometheus || echo prometheus ;;
      # Without a font of its own the browser draws empty pages.
      browser)
        [ -n "${CHROMIUM_PATH:-}" ] || any_of chromium chromium-headless-shell google-chrome ||
          echo chromium fonts-dejavu-core
        ;;
      # For servers whose clock is wrong: test/support/skewed-clock.ts.
      compiler) any_of cc || echo gcc libc6-dev ;;
    esac
  done
}

# --- one installer at a time -------------------------------------------------------------------------------------

# The lock is a symbolic link to the number of its process: made in one step, readable in one step.
take_lock() {
  seconds=0
  until ln -s "$$" "$lock" 2>/dev/null; do
    holder=$(readlink "$lock") || continue
    if ! kill -0 "$holder" 2>/dev/null && inherit_lock "$holder"; then break; fi
    [ "$seconds" -gt 0 ] || say "waiting for another installation (process $holder)"
    [ "$seconds" -lt 900 ] || fail "process $holder has held $lock for 15 minutes; remove it if that is wrong"
    sleep 1
    seconds=$((seconds + 1))
  done
  trap 'rm -f "$lock"' EXIT
  trap 'exit 129' HUP
  trap 'exit 130' INT
  trap 'exit 143' TERM
}

# Takes over from a process that is gone. Its heir is whoever creates this link first, and only while the lock still
# names the dead one; the rename then replaces the lock in one step.
inherit_lock() {
  ln -s "$$" "$lock.heir-of-$1" 2>/dev/null || return 1
  if [ "$(readlink "$lock")" = "$1" ]; then
    mv -f "$lock.heir-of-$1" "$lock"
  else
    rm -f "$lock.heir-of-$1"
    return 1
  fi
}

# --- installing --------------------------------------------------------------------------------------------------

install_npm_packages() {
  say 'installing Node packages (npm ci)'
  # An npm that runs inside `npm test` inherits the settings of the outer one; these would change what is installed.
  (
    unset npm_config_workspace npm_config_workspaces npm_config_omit npm_config_prefix npm_config_production NODE_ENV
    npm ci --no-audit --no-fund --loglevel=error >&2
  ) || fail 'npm ci failed; its messages are above'
  record 'Node packages (npm ci)'
}

as_root() {
  if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo -n "$@"; fi
}

install_programs() {
  any_of apt-get || fail "missing: $*. This is no Debian system, so please install them yourself."
  [ "$(id -u)" -eq 0 ] || sudo -n true 2>/dev/null || fail "missing: $*. As root: apt-get update && apt-get install $*"
  say "installing $* (apt-get)"
  # RUNLEVEL=1: a package must not start its own server. Another apt-get may be at work: wait for it.
  for step in update "install -y --no-install-recommends $*"; do
    # shellcheck disable=SC2086 -- a step is several words
    as_root env RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=600 $step >&2 ||
      fail "apt-get $step failed; its messages are above"
  done
  record "$* (apt-get)"
}

# -----------------------------------------------------------------------------------------------------------------

for program in node npm; do
  any_of $program || fail "$program is missing: install Node 20.19 or later"
done
for need in "$@"; do
  case $need in
    redis | browser | compiler | prometheus) ;;
    *) fail "unknown need \"$need\": redis, browser, compiler and prometheus are known" ;;
  esac
done

if npm_packages_match && [ -z "$(missing_programs "$@")" ]; then exit 0; fi

take_lock
npm_packages_match || install_npm_packages # again: the one we waited for may have done it
programs=$(missing_programs "$@")
# shellcheck disable=SC2086 -- a list of words
[ -z "$programs" ] || install_programs $programs
