// The `uwsgi` module of a thread in which plugin files are only read: attributes have values, registrations are taken and
// come to nothing, everything else refuses. There is no server behind it.
import { type BoundApi, type BoundFunction, bindApi } from '../api/bind.ts'
import type { ApiContext, Log } from '../api/context.ts'
import type { OptionMap } from '../api/kinds.ts'
import { ApiError } from '../errors.ts'
import { Access } from '../permissions/access.ts'
import { noPermissions } from '../permissions/permission-plan.ts'
import { StateMap } from '../state/state-map.ts'

export const describingContext = (parts: { version: string; hostname: string; opt: OptionMap; log: Log }): ApiContext => {
  const identity = { kind: 'worker', number: 0, seat: 0, workerId: 0, muleId: 0, spoolerId: 0, isLoading: true } as const
  const context: Partial<ApiContext> = {
    ...parts,
    masterPid: process.pid,
    // Its own directory is what the file may read.
    access: new Access(noPermissions(true)),
    thread: identity,
    apps: [],
    alarmNames: [],
    cores: 1,
    bufferSize: 0,
    startedOn: Math.floor(Date.now() / 1000),
    isReload: false,
    socketTimeoutMs: 0,
    caches: new Map(),
    sharedareas: [],
    request: undefined,
    state: StateMap.create({ workers: 1, requestSlots: 1, requestAreaSize: 4096, responseRingSize: 4096 }),
  }
  // Whatever else a function of the API may look at is not asked for: the function refuses before.
  return { ...context, spool: { directories: [] } } as unknown as ApiContext
}

/** A file may register functions and write to the log while it is run: that it does so is nothing to be refused for. */
const isHarmless = ({ entry }: BoundFunction): boolean => /^(?:register_|add_|log$)/.test(entry.name)
/** Who the thread is: nobody yet. */
const isIdentity = ({ entry }: BoundFunction): boolean => entry.group === 'identity'

export const describingApi = (context: ApiContext): BoundApi => {
  const bound = bindApi(context)
  const functions = bound.functions.map((member): BoundFunction => {
    if (isIdentity(member)) return member
    const { entry } = member
    if (isHarmless(member)) return { entry, call: () => (entry.returns === 'none' ? undefined : true) }
    const refuse = (): never => {
      throw new ApiError(entry.name, 'API_REFUSED', 'not while the file is loaded to learn what the plugin is: call it in a hook')
    }
    return { entry, call: refuse }
  })
  return { ...bound, functions }
}
