/** Parts of the generated file that open, end, copy and describe connections. */
import type { Part } from './part.ts'

export const connectionParts: readonly Part[] = [
  {
    name: 'connect',
    exports: ['connectRedis'],
    needs: ['client-types', 'state'],
    source: `
/** \`redis.connect()\` of ioredis: resolves when the connection is ready, rejects if the first attempt fails. Attempts then go on. */
export async function connectRedis(client: Redis): Promise<void> {
  const state = stateOf(client);
  if (state.status !== 'wait' && state.status !== 'end' && state.status !== 'close') throw new Error('Redis is already connecting/connected');
  state.status = 'connecting';
  await new Promise<void>((resolve, reject) => {
    const ready = (): void => {
      client.off('error', failed);
      resolve();
    };
    const failed = (): void => {
      client.off('ready', ready);
      reject(new Error('Connection is closed.'));
    };
    client.once('ready', ready);
    client.once('error', failed);
    client.connect().catch(() => undefined);
  });
}
`,
  },
  {
    name: 'quit',
    exports: ['quitRedis'],
    needs: ['client-types', 'state'],
    source: `
/** \`redis.quit()\` of ioredis: waits for the commands that were sent, then closes. */
export async function quitRedis(client: AnyRedis): Promise<'OK'> {
  const state = stateOf(client);
  if (state.status === 'wait' && !client.isOpen) {
    // ioredis starts to connect, and gives up.
    state.status = 'connecting';
    setImmediate(() => {
      state.status = 'end';
      state.emit?.('end');
    });
    return 'OK';
  }
  if (!client.isOpen) throw new Error('Connection is closed.');
  if (state.status === 'ready' || !('isReady' in client)) await client.close();
  else {
    await (client as Redis).sendCommand(['PING']).catch(() => undefined);
    if (client.isOpen) await client.close();
  }
  return 'OK';
}
`,
  },
  {
    name: 'disconnect',
    exports: ['disconnectRedis'],
    needs: ['client-types', 'state'],
    source: `
/** \`redis.disconnect()\` of ioredis: closes at once. A client that is closed stays as it is. */
export function disconnectRedis(client: AnyRedis): void {
  const state = stateOf(client);
  const isOpening = state.status === 'connecting' || state.status === 'reconnecting';
  const isUnused = state.status === 'wait';
  state.status = 'end';
  if (!client.isOpen) {
    if (!isUnused) return;
    process.nextTick(() => {
      state.emit?.('close');
      state.emit?.('end');
    });
    return;
  }
  if (!isOpening || !('isReady' in client)) {
    client.destroy();
    return;
  }
  // node-redis would leave the socket open that it is just opening.
  const destroy = (): void => {
    if (client.isOpen) client.destroy();
  };
  client.once('connect', destroy);
  client.once('error', destroy);
}
`,
  },
  {
    name: 'duplicate',
    exports: ['duplicateRedis'],
    needs: ['client-types', 'state', 'option-types', 'create-redis'],
    source: `
/** \`redis.duplicate()\` of ioredis: a new connection with the same options, which connects by itself. */
export function duplicateRedis(client: Redis, override: RedisOptions = {}): Redis {
  const { options } = stateOf(client);
  if (!options) throw new TypeError('duplicateRedis: this client was not made by createRedis.');
  return createRedis({ ...options, ...override });
}
`,
  },
  {
    name: 'status',
    exports: ['redisStatus'],
    needs: ['client-types', 'state'],
    source: `
/** \`redis.status\` of ioredis. */
export function redisStatus(client: AnyRedis): RedisStatus {
  const { status } = stateOf(client);
  return 'isReady' in client && client.isReady ? 'ready' : status;
}
`,
  },
]
