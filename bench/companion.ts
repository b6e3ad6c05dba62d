// Client processes that are written in this repository: what they do must not take the time of the process that measures.
// A companion is talked to by messages, and ends with the process that started it, whatever that ends of.
import { fork } from 'node:child_process'

export interface Companion<Sent, Received extends { readonly kind: string }> extends AsyncDisposable {
  send(message: Sent): void
  /** The next message of this kind; rejects when the process ends without it. */
  next<Kind extends Received['kind']>(kind: Kind): Promise<Extract<Received, { readonly kind: Kind }>>
}

/** Starts a file of this directory as a process of its own. */
export function startCompanion<Sent extends object, Received extends { readonly kind: string }>(
  file: string,
): Companion<Sent, Received> {
  const child = fork(file, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'], serialization: 'advanced' })
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  return {
    send: (message) => void child.send(message),
    async next(kind) {
      type Wanted = Extract<Received, { readonly kind: typeof kind }>
      const { promise, resolve, reject } = Promise.withResolvers<Wanted>()
      const take = (message: Received): void => {
        if (message.kind === kind) resolve(message as Wanted)
      }
      child.on('message', take)
      ended.then(() => reject(new Error(`${file} ended without an answer`)))
      try {
        return await promise
      } finally {
        child.off('message', take)
      }
    },
    async [Symbol.asyncDispose]() {
      if (child.connected) child.disconnect()
      await ended
    },
  }
}
