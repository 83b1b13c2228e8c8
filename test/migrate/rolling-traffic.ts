/** What users do while old and new processes serve them, and what each process must show them. */
import { expect } from 'vitest'
import { Browser, type Data, type Fleet, type Instance } from './migration-fleet.ts'
import type { OldLibrary } from './old-library.ts'
import { MAX_AGE_MS } from './rolling-lives.ts'

/** One user with a browser, and what the session must hold. */
export interface Visitor {
  readonly name: string
  readonly browser: Browser
  /** The name of this sign-in. */
  user: string
  data: Record<string, string>
  writes: number
  /** When the first response of a new process to this sign-in arrived. 0 before. */
  adoptedMs: number
}

/** connect-redis rounds a life up to whole seconds. */
const ROUNDED_MS = 1000
/** Of the responses of new processes to a bridged browser, so many get lost on their way. */
const LOST_SHARE = 0.1
/** Without old processes, users of a bridge cannot sign in again. This share of them signs out then, and the others stay. */
const LEAVING_SHARE = 0.15
const AT_ONCE = 12

export type Kind = (instance: Instance) => boolean
export const isOld: Kind = ({ build }) => build === 'old'
export const isNew: Kind = ({ build }) => build !== 'old'

export function createVisitors(count: number): readonly Visitor[] {
  return Array.from({ length: count }, (_, number) => ({
    ...{ name: `user-${number}`, user: '', browser: new Browser(), data: {}, writes: 0, adoptedMs: 0 },
  }))
}

export function createTraffic(library: OldLibrary, fleet: Fleet, visitorCount: number) {
  const { bridge } = library
  /** Everything that a process showed and should not have. */
  const failures: string[] = []
  /** Cookies of sessions that were signed out. */
  const stolen: Browser[] = []
  /** When an old process answered last. */
  let oldAnsweredMs = 0
  /** How many signed out for good. */
  let left = 0
  const has = (kind: Kind): boolean => fleet.instances.some(kind)

  /** What a process of this build must show. */
  const wantedAt = ({ build }: Instance, { data, user }: Visitor): Data =>
    bridge && build === 'old' && data['user'] !== undefined ? { user } : data

  const look = async (visitor: Visitor, after: string, kind?: Kind): Promise<void> => {
    const instance = fleet.any(kind)
    const isLost = bridge !== undefined && isNew(instance) && Math.random() < LOST_SHARE
    const seen = await visitor.browser.send(instance, 'GET', '/me', isLost)
    if (isOld(instance)) oldAnsweredMs = Date.now()
    else visitor.adoptedMs ||= Date.now()
    const [shown, wanted] = [seen, wantedAt(instance, visitor)].map((data) => JSON.stringify(sorted(data)))
    if (shown !== wanted) failures.push(`${visitor.name} at ${instance.build} ${after}: ${shown}, not ${wanted}`)
  }

  const signOut = async (visitor: Visitor): Promise<void> => {
    stolen.push(visitor.browser.copy())
    const instance = fleet.any(bridge ? isNew : undefined)
    await visitor.browser.send(instance, 'POST', '/sign-out')
    visitor.data = {}
    await look(visitor, `behind a sign-out at ${instance.build}`)
  }

  const signIn = async (visitor: Visitor, kind?: Kind): Promise<void> => {
    const isAnother = visitor.data['user'] !== undefined
    if (isAnother && library.endsPrevious !== true) await signOut(visitor)
    else if (isAnother) stolen.push(visitor.browser.copy())
    visitor.user = `${visitor.name}-${++visitor.writes}`
    visitor.adoptedMs = 0
    await visitor.browser.send(fleet.any(bridge ? isOld : undefined), 'POST', `/sign-in?user=${visitor.user}`)
    visitor.data = { ...(library.keepsData && visitor.data), user: visitor.user }
    await look(visitor, 'behind a sign-in', kind)
  }

  const write = async (visitor: Visitor): Promise<void> => {
    const value = `${visitor.name}-${++visitor.writes}`
    const field = `field-${visitor.writes % 4}`
    const instance = fleet.any(bridge ? isNew : undefined)
    await visitor.browser.send(instance, 'POST', `/set?${field}=${value}`)
    visitor.data[field] = value
    await look(visitor, `behind a write at ${instance.build}`)
  }

  /** One request after another; each may meet another process. */
  const act = async (visitor: Visitor): Promise<void> => {
    const chance = Math.random()
    const isSignedIn = visitor.data['user'] !== undefined
    const maySignIn = !bridge || has(isOld)
    const mayChange = !bridge || has(isNew)
    if (maySignIn && (!isSignedIn || (chance < 0.1 && mayChange))) return signIn(visitor)
    if (isSignedIn && mayChange && chance < 0.18 && (maySignIn || left < visitorCount * LEAVING_SHARE)) {
      if (!maySignIn) left++
      return signOut(visitor)
    }
    if (isSignedIn && mayChange && chance < 0.65) return write(visitor)
    return look(visitor, 'later')
  }

  /** Several requests of one session at once, each with a field of its own. Only our store keeps all of them. */
  const writeTogether = async (visitor: Visitor): Promise<void> => {
    if (visitor.data['user'] === undefined || library.mergesWrites !== true) return
    const value = String(++visitor.writes)
    const fields = ['together-0', 'together-1', 'together-2', 'together-3']
    await Promise.all(fields.map((field) => visitor.browser.send(fleet.any(), 'POST', `/set?${field}=${value}`)))
    for (const field of fields) visitor.data[field] = value
    await look(visitor, 'behind parallel writes')
  }

  /** With a bridge that extends nothing, no session of ours ends later than the old one could. */
  const endsInTime = async ({ browser, name, adoptedMs }: Visitor): Promise<void> => {
    const { endsAtMs } = await browser.send(fleet.any(), 'GET', '/end')
    const lastTouchMs = bridge?.isTouched === true ? adoptedMs : oldAnsweredMs
    expect(Number(endsAtMs), name).toBeLessThanOrEqual(lastTouchMs + MAX_AGE_MS + ROUNDED_MS)
  }

  const replay = (thieves: readonly Browser[]): Promise<void> =>
    inParallel(thieves, async (thief) => {
      const instance = fleet.any(bridge && !bridge.isStored && has(isNew) ? isNew : undefined)
      if (bridge && !bridge.isStored && isOld(instance)) return
      const seen = await thief.copy().send(instance, 'GET', '/me')
      if (Object.keys(seen).length > 0) failures.push(`revived at ${instance.build}: ${JSON.stringify(seen)}`)
    })

  return { failures, stolen, look, signIn, signOut, write, act, writeTogether, replay, endsInTime }
}

export async function inParallel<T>(items: readonly T[], run: (item: T) => Promise<void>): Promise<void> {
  const left = [...items]
  const work = async (): Promise<void> => {
    for (let item = left.shift(); item !== undefined; item = left.shift()) await run(item)
  }
  await Promise.all(Array.from({ length: AT_ONCE }, work))
}

function sorted(data: Data): Data {
  return Object.fromEntries(Object.entries(data).sort(([one], [other]) => (one < other ? -1 : 1)))
}
