import { describe, expect, it } from 'vitest'
import { EventRelay } from './event-relay.ts'
import { EventBus } from './events.ts'

const event = { sessionId: 'uk.id', kind: 'user' } as const

describe('EventBus', () => {
  it('calls listeners of the name and listeners of all events, until they stop', () => {
    const bus = new EventBus()
    const heard: string[] = []
    const stopNamed = bus.on('session.created', ({ sessionId }) => heard.push(`named ${sessionId}`))
    const stopAny = bus.onAny((name) => heard.push(`any ${name}`))
    bus.emit('session.created', event)
    bus.emit('session.found', event)
    stopNamed()
    stopAny()
    bus.emit('session.created', event)
    expect(heard).toEqual(['named uk.id', 'any session.created', 'any session.found'])
  })

  it('survives a listener that throws, and calls the others', () => {
    const bus = new EventBus()
    let heard = 0
    bus.on('session.created', () => {
      throw new Error('observer')
    })
    bus.on('session.created', () => heard++)
    bus.emit('session.created', event)
    expect(heard).toBe(1)
  })

  it('knows whether anybody listens', () => {
    const bus = new EventBus()
    expect(bus.hasListeners('session.created')).toBe(false)
    const stop = bus.on('session.created', () => undefined)
    expect(bus.hasListeners('session.created')).toBe(true)
    expect(bus.hasListeners('session.found')).toBe(false)
    stop()
    expect(bus.hasListeners('session.created')).toBe(false)
  })
})

describe('EventRelay', () => {
  it('reports to every attached bus and claims listeners only when one of them has some', () => {
    const relay = new EventRelay()
    const [a, b] = [new EventBus(), new EventBus()]
    const detach = relay.attach(a)
    relay.attach(b)
    expect(relay.hasListeners('session.created')).toBe(false)
    const heard: string[] = []
    a.on('session.created', () => heard.push('a'))
    b.on('session.created', () => heard.push('b'))
    expect(relay.hasListeners('session.created')).toBe(true)
    relay.emit('session.created', event)
    detach()
    relay.emit('session.created', event)
    expect(heard).toEqual(['a', 'b', 'b'])
  })
})
