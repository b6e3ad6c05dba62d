// Sending to mules, the same from the master and from every thread: finds the queue of a target, appends, and rings every
// mule that may take the message: one that is awake may have looked already, and would go to sleep beside it.
import { type MessageQueue, type MessageQueues, maxMessageBytes } from './message-queues.ts'

/** A message that cannot be sent: the reason is for whoever wrote the target. */
export class MessageRefused extends Error {}

export interface MuleMessagesOptions {
  readonly queues: MessageQueues
  /** In the order of their queues. */
  readonly farms: readonly { readonly name: string; readonly mules: readonly number[] }[]
  /** Rings a mule's doorbell. */
  ring(muleId: number): void
}

export class MuleMessages {
  readonly #options: MuleMessagesOptions

  constructor(options: MuleMessagesOptions) {
    this.#options = options
  }

  /**
   * @param thread the number of the calling thread
   * @param target a mule's number; a farm's name: one mule of it; undefined or 0: any mule
   * @returns false when the queue is full
   * @throws MessageRefused for no such mule or farm, and for a message that is too long
   */
  send(thread: number, message: Uint8Array, target: number | string | undefined): boolean {
    const { queues, farms, ring } = this.#options
    if (queues.mules === 0) throw new MessageRefused('no mule is configured')
    if (message.length > maxMessageBytes) {
      throw new MessageRefused(`a message has at most ${maxMessageBytes} bytes, this one has ${message.length}`)
    }
    if (typeof target === 'string') {
      const index = farms.findIndex(({ name }) => name === target)
      const queue = queues.farm(index)
      if (queue === undefined) throw new MessageRefused(noFarm(target, farms))
      return this.#append(queue, thread, message, farms[index]?.mules ?? [])
    }
    if (target !== undefined && target !== 0) {
      const queue = queues.mule(target)
      if (queue === undefined) {
        throw new MessageRefused(`there is no mule ${target}: they are numbered from 1 to ${queues.mules}`)
      }
      return this.#append(queue, thread, message, [target])
    }
    if (!queues.pool.push(thread, message)) return false
    for (let muleId = 1; muleId <= queues.mules; muleId += 1) ring(muleId)
    return true
  }

  #append(queue: MessageQueue, thread: number, message: Uint8Array, mules: readonly number[]): boolean {
    if (!queue.push(thread, message)) return false
    for (const muleId of mules) this.#options.ring(muleId)
    return true
  }
}

const noFarm = (name: string, farms: MuleMessagesOptions['farms']): string => {
  const known = farms.length === 0 ? 'no farm is configured' : `the farms are ${farms.map((farm) => farm.name).join(', ')}`
  return `there is no farm '${name}': ${known}`
}
