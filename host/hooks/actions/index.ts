// The table of actions. Plugins add theirs with `hookActions`.
import type { Action } from '../action.ts'
import { callActions } from './calls.ts'
import { commandActions } from './commands.ts'
import { fifoActions } from './fifos.ts'
import { fileActions } from './files.ts'
import { messageActions } from './messages.ts'
import { processActions } from './process.ts'
import { rpcActions } from './rpc.ts'
import { waitActions } from './waits.ts'

export const actions: ReadonlyMap<string, Action> = new Map<string, Action>(
  Object.entries({
    ...messageActions,
    ...fileActions,
    ...fifoActions,
    ...processActions,
    ...commandActions,
    ...callActions,
    ...rpcActions,
    ...waitActions,
  }),
)

/** Actions of uWSGI that cannot be, with the reason. */
export const refusedActions: ReadonlyMap<string, string> = new Map([
  ['hostname', "the host's name belongs to the machine, and no namespace of our own stands between"],
  ['mount', 'file systems are mounted by who starts the server; exec can do it where it has the rights'],
  ['umount', 'file systems are unmounted by who starts the server; exec can do it where it has the rights'],
])
