// Implementations of the group `signals`.
import { ApiError, PolywsgiError } from '../../errors.ts'
import type { ApiContext } from '../context.ts'
import type { ImplementationOf } from '../kinds.ts'
import type { signals } from '../table/signals.ts'
import { oneWait, outcomeOf, type Steps, type Waiting, waiting } from '../waiting.ts'

/** modifier1 of a packet that carries a signal; the signal is its modifier2, and it has no block. */
const signalModifier = 110
const answerModifier = 255

export const signalsImplementation: ImplementationOf<typeof signals, ApiContext> = {
  signal: (context, signum, node) => {
    // A signal that is dropped is logged where it is dropped; as in uWSGI the caller is not told.
    if (node !== undefined && node !== '') return raiseRemotely(context, signum, node)
    context.signals.raise(signum)
    return undefined
  },
  register_signal: (context, signum, kind, handler) => {
    context.signals.register(signum, kind, handler)
    return undefined
  },
  signal_registered: (context, signum) => (context.signals.isRegistered(signum) ? true : undefined),
  signal_wait: ({ signals, request }, signum) =>
    waiting(function* () {
      const arrival = oneWait(
        () => signals.wait(signum),
        () => signals.waitAsync(signum, request),
      )
      yield* outcomeOf(arrival)
      return new Uint8Array(0)
    }),
  signal_received: (context) => context.signals.lastReceived,
}

const raiseRemotely = (context: ApiContext, signum: number, node: string): Waiting<undefined> =>
  waiting(function* (): Steps<undefined> {
    const { master, socketTimeoutMs: timeoutMs } = context
    const call = { address: node, request: Uint8Array.of(signalModifier, 0, 0, signum), reply: 'packet', timeoutMs } as const
    let answer: Uint8Array | undefined
    let cause: unknown
    try {
      const reply = oneWait(
        () => master.call('remote', call),
        () => master.callAsync('remote', call),
      )
      answer = yield* outcomeOf(reply)
    } catch (error) {
      if (!(error instanceof PolywsgiError) || error.code === 'API_REFUSED') throw error
      cause = error
    }
    if (answer === undefined || answer.length < 4 || answer[0] !== answerModifier)
      throw new ApiError('signal', 'API_IO', `unable to deliver signal ${signum} to node ${node}`, { cause })
    if (answer[3] !== 1) throw new ApiError('signal', 'API_REFUSED', `node ${node} rejected signal ${signum}`)
    return undefined
  })
