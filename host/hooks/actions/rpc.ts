// Actions that call RPC functions, of this server or another.
import { type Action, ActionFailure, BadArgument, type HookEnvironment, pause } from '../action.ts'
import { splitQuoted } from '../split-quoted.ts'

interface Call {
  readonly target: string
  readonly name: string
  readonly node: string
  readonly args: readonly Uint8Array[]
}

const usage = 'FUNCTION[@ADDRESS] [ARGUMENT...]'

const callOf = (argument: string): Call => {
  const [target, ...args] = splitQuoted(argument)
  if (target === undefined) throw new BadArgument(`needs ${usage}`)
  const at = target.indexOf('@')
  const name = at < 0 ? target : target.slice(0, at)
  const node = at < 0 ? '' : target.slice(at + 1)
  if (name === '') throw new BadArgument('needs the name of a function')
  if (at >= 0 && node === '') throw new BadArgument(`'${target}' has no address after its @`)
  return { target, name, node, args: args.map((text) => Buffer.from(text)) }
}

const attempt = async ({ target, name, node, args }: Call, { callRpc, log }: HookEnvironment): Promise<void> => {
  const result = await callRpc(node, name, args)
  if (result === undefined) throw new ActionFailure(`rpc function "${target}" has not answered`)
  log.bytes(Buffer.concat([Buffer.from(`[rpc result from "${target}"] `), result]))
}

const retryMs = 1000

export const rpcActions = {
  rpc: {
    usage,
    help: 'Call an RPC function, here or at another server; the result is in the log. Arguments may be quoted.',
    prepare: (argument) => {
      const call = callOf(argument)
      return (environment) => attempt(call, environment)
    },
  },
  retryrpc: {
    usage,
    help: 'As rpc, again and again, once a second, until there is a result.',
    prepare: (argument) => {
      const call = callOf(argument)
      return async (environment) => {
        for (;;) {
          try {
            return await attempt(call, environment)
          } catch (error) {
            environment.log.text(`${(error as Error).message}: trying again`)
          }
          await pause(retryMs, environment.signal)
        }
      }
    },
  },
} as const satisfies Record<string, Action>
