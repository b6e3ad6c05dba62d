// Implementations of the group `rpc`.
import { ApiArgumentError } from '../../errors.ts'
import type { ApiContext } from '../context.ts'
import type { ImplementationOf } from '../kinds.ts'
import type { rpc } from '../table/rpc.ts'
import { oneWait, type Waiting } from '../waiting.ts'

/** What fits the array of a packet beside the name, as its parser in uWSGI counts; the same for every call. */
const mostArguments = 254

const utf8 = new TextEncoder()

export const rpcImplementation: ImplementationOf<typeof rpc, ApiContext> = {
  register_rpc: (context, name, handler, argc) => {
    if (name === '') {
      handler.release()
      throw unnamed('register_rpc')
    }
    context.rpc.register(name, handler, argc)
    return true
  },
  rpc: (context, node, name, args) => {
    if (name === '') throw unnamed('rpc')
    checkCount('rpc', args)
    return node === undefined || node === '' ? callHere(context, name, args) : callThere(context, node, name, args)
  },
  call: (context, name, args) => {
    if (name === '') throw unnamed('call')
    checkCount('call', args)
    return callHere(context, name, args)
  },
  rpc_list: (context) => context.rpc.names().map((name) => utf8.encode(name)),
}

const callHere = ({ rpc }: ApiContext, name: string, args: readonly Uint8Array[]): Waiting<Uint8Array | undefined> =>
  oneWait(
    () => rpc.call(name, args),
    () => rpc.callAsync(name, args),
  )

const callThere = (
  { rpc }: ApiContext,
  node: string,
  name: string,
  args: readonly Uint8Array[],
): Waiting<Uint8Array | undefined> =>
  oneWait(
    () => rpc.callRemote(node, name, args),
    () => rpc.callRemoteAsync(node, name, args),
  )

const unnamed = (functionName: string): ApiArgumentError =>
  new ApiArgumentError(functionName, 'name', 'value', "argument 'name' must not be empty")

const checkCount = (functionName: string, args: readonly Uint8Array[]): void => {
  if (args.length <= mostArguments) return
  const message = `a function takes at most ${mostArguments} arguments, got ${args.length}`
  throw new ApiArgumentError(functionName, 'args', 'value', message)
}
