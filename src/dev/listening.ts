/** Checks whether a server listens on a port of this machine: an application that has started, or a port that is in use. */
import { connect, type NetConnectOpts } from 'node:net'

const LOOPBACK = ['127.0.0.1', '::1']

export async function isListening(port: number): Promise<boolean> {
  const answers = await Promise.all(LOOPBACK.map((host) => isAccepting({ host, port })))
  return answers.includes(true)
}

/** Whether a server accepts connections at this address. */
export function isAccepting(address: NetConnectOpts): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(address)
    const done = (answer: boolean): void => {
      socket.destroy()
      resolve(answer)
    }
    socket.once('connect', () => done(true)).once('error', () => done(false))
  })
}
