/**
 * Sessions on Redis. Keys it touches: session, generation (with the index in it), sessions (an index that is too long for that), ended,
 * tokens (only to delete them with a user's last session, after moving grants to revocations). All keys of one user lie in one slot. A read
 * is one command, and every change is one script (scripts/session.ts). Listing and cleanup are bounded sequences.
 *
 * If you change this, also change: the scripts' headings, docs/redis-keys.md, the memory driver, the conformance cases.
 */
import { GENERATION_BYTES } from '../../keyring/record-layout.ts'
import type { Random } from '../../core/random.ts'
import { checkedTtlMs } from '../../core/time-to-live.ts'
import type { RedisClientPort, RedisReply } from '../../redis/client-port.ts'
import type { RevocationRetries } from './revocation-retries.ts'
import { askAligned, readVerified, stepVerified } from '../../redis/reply-alignment.ts'
import type { RepeatableScript } from '../../redis/repeatable-script.ts'
import { duringChange, type NearCache } from './near-cache.ts'
import type { RedisKeys } from '../keys.ts'
import { type ScriptRunner, createScriptRunner } from '../../redis/script-runner.ts'
import { CLEAR_ENDED, CREATE_ANONYMOUS, CREATE_USER, END, END_BY_USER, EXPLAIN, REPLACE } from './scripts/session.ts'
import { type TokenRevocations, NO_TOKEN_REVOCATIONS, OUTBOX_LIFE_MS } from '../../token/revocation-driver.ts'
import { DurableRevocations } from './durable-revocations.ts'
import { nearReads } from './near-reads.ts'
import { createRedisSessionIndex } from './session-index.ts'
import { RedisReads } from './session-reads.ts'
import type { SessionLimit } from '../../config/session-settings.ts'
import type {
  Absence,
  Created,
  Ended,
  Ending,
  SessionDriver,
  SessionLife,
  SessionRef,
  StoredSession,
} from '../../session/session-driver.ts'

const UNLINKED_PER_SCRIPT = 100
/** Each retry means that the same user signed in elsewhere in the meantime. */
const LIMIT_ATTEMPTS = 256
const NOTHING: StoredSession = { record: null, generation: null }
const NO_LIMIT: SessionLimit = { max: 0, action: 'refuse' }

export interface RedisSessionDriverOptions {
  readonly random: Random
  /** Receives refresh tokens to revoke at their provider when a sign-in ends. Default: none. */
  readonly tokenRevocations?: TokenRevocations
  /** Repeats revocations that fail, or that no replica has acknowledged. Default: none are repeated. */
  readonly retries?: RevocationRetries
  /** Default: every read goes to the server. */
  readonly near?: NearCache | null
  /** Tests shift the time with it; see the scripts. */
  readonly timeOffsetMs?: () => number
}

export function createRedisSessionDriver(
  client: RedisClientPort,
  keys: RedisKeys,
  {
    random,
    timeOffsetMs = () => 0,
    tokenRevocations = NO_TOKEN_REVOCATIONS,
    retries,
    near = null,
  }: RedisSessionDriverOptions,
): SessionDriver {
  const run = createScriptRunner(client, timeOffsetMs)
  const outbox = [String(OUTBOX_LIFE_MS), ...tokenRevocations.providers]
  const reads = new RedisReads(client, keys)
  const readStore = (ref: SessionRef): Promise<StoredSession> => reads.read(ref)
  const readNear = near && nearReads(near, keys, readStore)
  const changing = duringChange(near)
  const lasting = new DurableRevocations(run, retries ?? null, () => client.isDurable)
  // Holds even if Redis returns the session: an older dump may have been restored.
  const isEnded = (ref: SessionRef): boolean =>
    lasting.denied(ref) !== null || retries?.hasEnded(keys.session(ref.userKey, ref.id)) === true
  const read = (ref: SessionRef): Promise<StoredSession> =>
    isEnded(ref) ? Promise.resolve(NOTHING) : (readNear ?? readStore)(ref)
  const index = createRedisSessionIndex(client, keys, timeOffsetMs)
  /** Number of live sessions in the index, for the case that Redis refuses writes. */
  const countOf = async (userKey: string, exceptId: string | undefined): Promise<number> =>
    (await index.liveIds(userKey)).filter((id) => id !== exceptId).length
  const endOf = (userKey: string, id: string, ending: Ending, expectedNonce?: Buffer): RepeatableScript => {
    const names = [
      keys.session(userKey, id),
      keys.generation(userKey),
      keys.sessions(userKey),
      keys.ended(userKey, id),
      keys.tokens(userKey),
      keys.revocations(userKey),
    ]
    const known = ending.takesTokens === true ? 'tokens' : ending.existed === true ? '1' : ''
    const args = [id, ...endingArguments(ending), expectedNonce ?? '', known, ...outbox]
    return { ...run.repeatable(END, names, args), removes: { key: keys.session(userKey, id), owner: userKey } }
  }
  /** The step for a session that another step has ended. */
  const endAgain = (userKey: string, id: string, ending: Ending): RepeatableScript =>
    endOf(userKey, id, { ...ending, existed: true, takesTokens: false })
  const endedBy = (userKey: string, [, count, last]: readonly RedisReply[], durable: boolean): Ended => {
    if (last === 1) tokenRevocations.moved(userKey)
    return { status: 'done', count: count as number, lastOfUser: last === 1, durable }
  }

  return {
    read,

    async readVerified(ref, evaluate, isMiss) {
      const key = keys.session(ref.userKey, ref.id)
      return readVerified(
        client,
        key,
        async () => evaluate(await read(ref)),
        (value) => isMiss(value) && !isEnded(ref),
        // The near cache may hold the reply to another command.
        () => near?.changed(key),
      )
    },

    async explain(ref) {
      const { userKey, id } = ref
      const denied = lasting.denied(ref)
      if (denied !== null) return { ended: denied, generation: 'present', index: 'missing' }
      const names = [keys.ended(userKey, id), keys.generation(userKey), keys.sessions(userKey)]
      const [ended, generation, entry] = await run.always(EXPLAIN, names, [id])
      const reason = text(ended) || (isEnded(ref) ? 'revoked' : '')
      return {
        ended: reason === '' ? null : reason,
        generation: generation === 1 ? 'present' : 'missing',
        index: text(entry) as Absence['index'],
      }
    },

    async create(ref, record, life, limit = NO_LIMIT): Promise<Created> {
      if (ref.kind === 'user') {
        const created = await createForUser(run, keys, random, ref, record, life, limit)
        const ended = created.status === 'created' ? created.endedIds : []
        for (const id of ended) near?.changed(keys.session(ref.userKey, id))
        const byLimit = { reason: 'limit', ttlMs: life.absoluteMs }
        retries?.remember(ended.map((id) => endAgain(ref.userKey, id, byLimit)))
        return created
      }
      const names = [keys.session(ref.userKey, ref.id), keys.ended(ref.userKey, ref.id)]
      const [status] = await run.inTime(CREATE_ANONYMOUS, names, [
        record,
        String(checkedTtlMs(life.ttlMs + life.slackMs)),
      ])
      return text(status) === 'created' ? { status: 'created', endedIds: [] } : { status: 'ended' }
    },

    async replace(ref, expectedNonce, record, life, opens) {
      const { kind, userKey, id } = ref
      const own = [keys.session(userKey, id)]
      const names = kind === 'user' ? [...own, keys.generation(userKey), keys.sessions(userKey)] : own
      const args = [expectedNonce, record, ...lifeArguments(life), id]
      const key = names[0] ?? ''
      const replace = (): Promise<readonly RedisReply[]> => run.inTime(REPLACE, names, args)
      const replaced = stepVerified(
        client,
        key,
        () => askAligned(client, key, replace, ([word]) => text(word) === 'gone'),
        (reply) => isForeignConflict(reply, opens),
      )
      const [status, current] = await changing(own, replaced)
      if (text(status) === 'conflict') return { status: 'conflict', record: current as Buffer }
      return { status: text(status) === 'done' ? 'done' : 'gone' }
    },

    async end({ kind, userKey, id }, ending) {
      if (kind === 'user') tokenRevocations.announce(userKey)
      const step = endOf(userKey, id, ending)
      // The repetition must not delete tokens that are stored later without a session.
      const again = endOf(userKey, id, { ...ending, takesTokens: false })
      const applied = await changing(
        [keys.session(userKey, id)],
        lasting.apply({ userKey, id, reason: ending.reason, takesTokens: ending.takesTokens }, step, ([, , , known]) =>
          known === 1 ? [again] : [],
        ),
      )
      // Redis refuses writes at the moment. Until it accepts this one, the process denies the session, so the session has ended here.
      if (applied === null) return { status: 'done', count: 1, lastOfUser: false, durable: false }
      return endedBy(userKey, applied.reply, applied.durable)
    },

    async endUnchanged({ kind, userKey, id }, expectedNonce, ending, opens) {
      if (kind === 'user') tokenRevocations.announce(userKey)
      const step = endOf(userKey, id, ending, expectedNonce)
      const key = keys.session(userKey, id)
      const ended = stepVerified(
        client,
        key,
        () => run.always(step.script, step.keys, step.args.slice(2)),
        (reply) => isForeignConflict(reply, opens),
      )
      const reply = await changing([key], ended)
      if (text(reply[0]) === 'conflict') return { status: 'conflict', record: reply[1] as Buffer }
      // Each sign-in ends an anonymous session. These would displace the sessions of users from the memory.
      if (kind === 'user' && reply[3] === 1) retries?.remember([endAgain(userKey, id, ending)])
      return endedBy(userKey, reply, false)
    },

    async endByUser(userKey, ending, exceptId) {
      const names = [keys.generation(userKey), keys.sessions(userKey), keys.tokens(userKey), keys.revocations(userKey)]
      if (exceptId !== undefined) names.push(keys.session(userKey, exceptId))
      tokenRevocations.announce(userKey)
      const args = [random.bytes(GENERATION_BYTES), exceptId ?? '', ...outbox]
      const { reason } = ending
      const step = run.repeatable(END_BY_USER, names, args)
      const again = ([, isUser, ...ids]: readonly RedisReply[]): readonly RepeatableScript[] => {
        // A replica may still have sessions that this server does not list. The new generation shows whether it has the revocation.
        if (ids.length === 0) return isUser === 1 ? [step] : []
        return ids.map((id) => endAgain(userKey, text(id), ending))
      }
      const applied = await changing(names, lasting.apply({ userKey, exceptId, reason }, step, again))
      if (applied === null) return { count: await countOf(userKey, exceptId), durable: false }
      const [count, , ...ids] = applied.reply
      tokenRevocations.moved(userKey)
      // These sessions are dead already. Remaining records expire by their TTL, so a failure changes nothing.
      await clearEnded(run, keys, userKey, ids.map(text), ending).catch(() => undefined)
      return { count: count as number, durable: applied.durable }
    },

    absent: index.absent,
    list: index.list,
  }
}

/** The reply to another command can look like a conflict. Its record belongs to another session, and the caller cannot open it. */
function isForeignConflict([status, record]: readonly RedisReply[], opens?: (record: Buffer) => boolean): boolean {
  return text(status) === 'conflict' && opens?.(record as Buffer) !== true
}

async function createForUser(
  run: ScriptRunner,
  keys: RedisKeys,
  random: Random,
  { userKey, id }: SessionRef,
  record: Buffer,
  life: SessionLife,
  limit: SessionLimit,
): Promise<Created> {
  const own = [keys.session(userKey, id), keys.generation(userKey), keys.sessions(userKey), keys.ended(userKey, id)]
  const fixed = [
    record,
    ...lifeArguments(life),
    random.bytes(GENERATION_BYTES),
    id,
    String(limit.max),
    limit.action,
    String(life.absoluteMs),
  ]
  let candidates: string[] = []
  for (let attempt = 0; attempt < LIMIT_ATTEMPTS; attempt++) {
    const theirs = candidates.flatMap((other) => [keys.session(userKey, other), keys.ended(userKey, other)])
    const [status, ...ids] = await run.inTime(CREATE_USER, [...own, ...theirs], [...fixed, ...candidates])
    switch (text(status)) {
      case 'created':
        return { status: 'created', endedIds: ids.map(text) }
      case 'retry':
        candidates = ids.map(text)
        break
      case 'refused':
        return { status: 'refused' }
      default:
        return { status: 'ended' }
    }
  }
  return { status: 'refused' }
}

async function clearEnded(
  run: ScriptRunner,
  keys: RedisKeys,
  userKey: string,
  ids: readonly string[],
  ending: Ending,
): Promise<void> {
  for (const chunk of chunked(ids, UNLINKED_PER_SCRIPT)) {
    const names = chunk.flatMap((id) => [keys.session(userKey, id), keys.ended(userKey, id)])
    await run.always(CLEAR_ENDED, names, endingArguments(ending))
  }
}

function lifeArguments({ ttlMs, slackMs, absoluteMs }: SessionLife): string[] {
  checkedTtlMs(ttlMs + slackMs)
  return [String(checkedTtlMs(ttlMs)), String(slackMs), String(checkedTtlMs(absoluteMs, 'absoluteMs'))]
}

function endingArguments({ reason, ttlMs }: Ending): string[] {
  return [reason, String(checkedTtlMs(ttlMs))]
}

function text(reply: RedisReply | undefined): string {
  return Buffer.isBuffer(reply) ? reply.toString('utf8') : String(reply ?? '')
}

function chunked<T>(items: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, i) => items.slice(i * size, (i + 1) * size))
}
