/**
 * F1 to F3 of docs/faults.md, many times: the primary is cut off from its replica while two processes end sessions, one of them is
 * killed, the replica is promoted, the cut heals. Somebody reads all sessions meanwhile, and the history of all that is checked.
 */
import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, expect, test } from 'vitest'
import type { Coatcheck } from '../../src/app/coatcheck.ts'
import { coatcheck } from '../../src/entries/coatcheck.ts'
import { redisStore, type RedisStoreOptions } from '../../src/stores/redis/redis-store.ts'
import { type ReplicatedPair, startReplicatedPair } from '../support/replicated-pair.ts'
import { type SessionProcess, startSessionProcess } from '../support/session-process.ts'
import { type Ending, History } from './history.ts'
import { expectWithin, HANG_MS } from './limits.ts'
import { inMs, isLab, observed } from './report.ts'

const ROUNDS = isLab ? 50 : 3
const SESSIONS = 200
const REAPPLIED_MS = 1000
/** The time for replicas, that of a change, and a machine that is busy with other tests. */
const LONGEST_ANSWER_MS = 100 + 1000 + 400

const keys = randomBytes(32).toString('base64')
const durability = { replicas: 1, timeoutMs: 100 }
const closing: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

interface Issued {
  readonly ticket: string
  readonly id: string
}

function open(options: RedisStoreOptions): Coatcheck<Record<string, unknown>> {
  const auth = coatcheck({ store: redisStore(options), keys, baseUrl: 'https://sessions.example' })
  closing.push(() => auth.close())
  return auth
}

/** Ends sessions here. Three portions: before, during and after the cut. */
function endHere(history: History, auth: Coatcheck<object>, portion: readonly Issued[]): Promise<unknown> {
  return Promise.all(portion.map(({ id }) => history.ending('here', id, () => auth.sessions.revoke(id))))
}

/** Ends sessions in another process, whose reports are entered when they are heard of. */
function endThere(history: History, other: SessionProcess, portion: readonly Issued[]): Promise<unknown> {
  const startMs = performance.now()
  other.onEvent(({ id = '', durable }) => {
    const answer = durable === undefined ? 'error' : durable ? 'durable' : 'not durable'
    history.add({ kind: 'ending', worker: 'there', sessionId: id, startMs, endMs: performance.now(), answer })
  })
  return other.ask('end', { ids: portion.map(({ id }) => id) })
}

interface Round {
  readonly history: History
  readonly afterCut: readonly Ending[]
  /** From the connection to the new primary until the last session that was ended here is dead again. */
  readonly reappliedMs: number
}

async function play(
  pair: ReplicatedPair,
  { here, reader }: { here: Coatcheck<object>; reader: Coatcheck<object> },
  number: number,
): Promise<Round> {
  const history = new History()
  const issue = async (i: number): Promise<Issued> => {
    const { ticket, session } = await here.sessions.create({ userId: `${number}-${i % 50}` })
    return { ticket, id: session.id ?? '' }
  }
  const all = await Promise.all(Array.from({ length: SESSIONS }, (_, i) => issue(i)))
  const [mine, theirs] = [all.slice(0, SESSIONS / 2), all.slice(SESSIONS / 2)]
  const other = await startSessionProcess(keys, pair.url, { durability })
  await pair.replicasCaughtUp()

  const portion = (issued: readonly Issued[], from: number, to: number): readonly Issued[] =>
    issued.slice(issued.length * from, issued.length * to)
  const end = (from: number, to: number): Promise<unknown> =>
    Promise.all([endHere(history, here, portion(mine, from, to)), endThere(history, other, portion(theirs, from, to))])
  await end(0, 0.4)
  const racing = end(0.4, 0.6)
  await sleep((number % 8) * 2)
  pair.cut(number % 2 === 0)
  await racing
  const cutAtMs = performance.now()
  await end(0.6, 1)
  const afterCut = history.revocations.filter(({ startMs }) => startMs >= cutAtMs)
  await other.end('SIGKILL')

  let readyAtMs = 0
  const forget = here.events.on('redis.status', ({ status }) => {
    if (status === 'ready') readyAtMs ||= performance.now()
  })
  const readAll = async (by: Coatcheck<object>, issued: readonly Issued[]): Promise<number> => {
    const answers = await Promise.all(
      issued.map(({ ticket, id }) => history.read('reader', id, () => by.sessions.find(ticket))),
    )
    return answers.filter((answer) => answer !== 'none').length
  }
  await pair.promote()
  const endMs = performance.now() + HANG_MS
  // By somebody who does not remember having ended them. Also those that were ended by the process that is gone: what was durable
  // there has to be so here.
  while ((await readAll(reader, theirs), await readAll(reader, mine)) > 0 && performance.now() < endMs) await sleep(10)
  const reappliedMs = performance.now() - readyAtMs
  forget()
  expect(await readAll(reader, mine), 'sessions that were ended here').toBe(0)
  await readAll(reader, theirs)
  await pair.heal()
  await readAll(reader, all)
  return { history, afterCut, reappliedMs }
}

test(
  `${ROUNDS} failovers of a primary that was cut off: what was durable stays, what was not is said so, and ended again`,
  { timeout: 120_000 + ROUNDS * 20_000 },
  async () => {
    const pair = await startReplicatedPair()
    closing.push(() => pair.stop())
    const here = open({ url: pair.url, durability })
    const reader = open({ url: pair.url })
    await Promise.all([here.ready(), reader.ready()])
    const rounds: Round[] = []
    for (let i = 0; i < ROUNDS; i++) rounds.push(await play(pair, { here, reader }, i))

    const revocations = rounds.flatMap(({ history }) => history.revocations)
    const of = (worker: string, answer: Ending['answer']): number =>
      revocations.filter((one) => one.worker === worker && one.answer === answer).length
    expect(revocations).toHaveLength(ROUNDS * SESSIONS)
    expect(rounds.flatMap(({ history }) => history.violations())).toEqual([])
    // There was something to be broken, in each round.
    for (const { history, afterCut } of rounds) {
      expect(history.revocations.filter(({ answer }) => answer === 'durable').length).toBeGreaterThanOrEqual(
        0.4 * SESSIONS,
      )
      expect(afterCut).toHaveLength(0.4 * SESSIONS)
      expect(new Set(afterCut.map(({ answer }) => answer))).toEqual(new Set(['not durable']))
    }
    const slowest = Math.max(...revocations.map(({ startMs, endMs }) => endMs - startMs))
    expectWithin(slowest, LONGEST_ANSWER_MS)
    const reapplied = Math.max(...rounds.map(({ reappliedMs }) => reappliedMs))
    expectWithin(reapplied, REAPPLIED_MS)
    const reads = rounds.reduce((sum, { history }) => sum + history.reads.length, 0).toLocaleString('en')
    observed(
      'F1.cut',
      `${ROUNDS} rounds: 0 of ${of('here', 'durable')} durable endings undone, by ${reads} reads; ${of('here', 'not durable')} said to be not durable, the slowest answer after ${inMs(slowest)}`,
    )
    observed(
      'F2.killed',
      `${ROUNDS} rounds: 0 of ${of('there', 'durable')} durable endings undone; ${of('there', 'not durable')} said to be not durable`,
    )
    observed('F3.journal', `${of('here', 'not durable')} ended again, the slowest after ${inMs(reapplied)}`)
  },
)
