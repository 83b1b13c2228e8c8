/**
 * Checks the options of a user-supplied client: options that the client library silently ignores, and options that prevent a reconnect
 * after an outage. Values are never shown, because one of them is the password.
 */
import type { SuppliedClient } from '../../redis/supplied-client.ts'
import type { HealthNotes } from './health-report.ts'

/** Options of majors 4, 5 and 6 of the package `redis`, for one server, cluster and sentinel. */
const KNOWN = new Set([
  ...['url', 'socket', 'username', 'password', 'name', 'database', 'commandsQueueMaxLength', 'disableOfflineQueue'],
  ...['readonly', 'legacyMode', 'isolationPoolOptions', 'pingInterval', 'disableClientInfo', 'clientInfoTag'],
  ...['modules', 'scripts', 'functions', 'RESP', 'unstableResp3', 'credentialsProvider', 'commandOptions', 'keyPrefix'],
  ...['clientSideCache', 'emitInvalidate', 'maintNotifications', 'maintEndpointType', 'maintRelaxedCommandTimeout'],
  ...['maintRelaxedSocketTimeout', 'rootNodes', 'defaults', 'useReplicas', 'minimizeConnections', 'nodeAddressMap'],
  ...['maxCommandRedirections', 'sentinelRootNodes', 'nodeClientOptions', 'sentinelClientOptions', 'masterPoolSize'],
  ...['replicaPoolSize', 'scanInterval', 'passthroughClientErrorEvents', 'reserveClient', 'himportRegistry'],
  ...['topologyRefreshOnReconnectionAttemptStrategy', 'maxCommandRediscovers'],
])
/** Host names of services that have a load balancer in front of Redis. */
const DROPS_QUIET_CONNECTIONS =
  /\.(?:redis\.cache\.windows\.net|redis\.azure\.net|redisenterprise\.cache\.azure\.net|cache\.amazonaws\.com)$/i

const NAME = 'Redis client'

type Settings = Readonly<Record<string, unknown>>

export function checkSuppliedClient(notes: HealthNotes, client: SuppliedClient): void {
  const options = optionsOf(client)
  if (options === null) {
    notes.skipped(NAME, 'user-supplied, and its configuration cannot be read')
    return
  }
  const before: string[] = []
  const found = (...finding: Parameters<HealthNotes['found']>): void => {
    before.push(finding[0])
    notes.found(...finding)
  }
  const ofNodes = settingsOf(options['defaults'] ?? options['nodeClientOptions'])
  const all = { ...options, ...ofNodes }
  const socket = { ...settingsOf(options['socket']), ...settingsOf(ofNodes['socket']) }
  const unknown = [...Object.keys(options), ...Object.keys(ofNodes)].filter((name) => !KNOWN.has(name))
  if (unknown.length > 0) found('DOCTOR_CLIENT_OPTION_UNKNOWN', NAME, [...new Set(unknown)].slice(0, 10).join(', '))
  if (socket['socketTimeout'] !== undefined && all['pingInterval'] === undefined) {
    found('DOCTOR_CLIENT_SOCKET_TIMEOUT', NAME, `socketTimeout is ${String(Number(socket['socketTimeout']))} ms`)
  }
  if (socket['reconnectStrategy'] === false) found('DOCTOR_CLIENT_NO_RECONNECT', NAME, 'reconnectStrategy is false')
  if (typeof all['keyPrefix'] === 'string' && all['keyPrefix'] !== '') {
    found('DOCTOR_CLIENT_KEY_PREFIX', NAME, 'keyPrefix is set')
  }
  if (all['readonly'] === true || all['useReplicas'] === true) {
    found('DOCTOR_CLIENT_READONLY', NAME, all['readonly'] === true ? 'readonly is true' : 'useReplicas is true')
  }
  const { host } = socket
  if (all['pingInterval'] === undefined && typeof host === 'string' && DROPS_QUIET_CONNECTIONS.test(host)) {
    found('DOCTOR_CLIENT_PING_INTERVAL', NAME, host)
  }
  if (before.length === 0) notes.ok(NAME, 'user-supplied; its options are known')
}

/** `options` is public in majors 5 and 6 for one server. Otherwise it reads the library's internal field. `null`: neither exists. */
function optionsOf(client: SuppliedClient): Settings | null {
  const { options, _options } = client as { options?: unknown; _options?: unknown }
  const found = settingsOf(options ?? _options)
  return Object.keys(found).length > 0 ? found : null
}

function settingsOf(value: unknown): Settings {
  return typeof value === 'object' && value !== null ? (value as Settings) : {}
}
