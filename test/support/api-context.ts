// An ApiContext for tests of one thread without a server: shared memory of its own, services that a test does not give
// refuse by name.
import type { ApiContext, Log, ThreadIdentity } from '../../host/api/context.ts'
import type { OptionMap } from '../../host/api/kinds.ts'
import { Access } from '../../host/permissions/access.ts'
import { noPermissions } from '../../host/permissions/permission-plan.ts'
import { StateMap } from '../../host/state/state-map.ts'

export const testThread = (workerId = 1): ThreadIdentity => ({
  kind: 'worker',
  number: workerId,
  seat: workerId,
  workerId,
  muleId: 0,
  spoolerId: 0,
  isLoading: false,
})

/** Guests get nothing but the directories of their apps. */
export const testAccess = new Access(noPermissions(false))

const silent: Log = { text: () => {}, bytes: () => {} }

/** What a test does not give is there as a service that says so when it is used. */
const absent = (name: string, given: object = {}): never =>
  new Proxy(given, {
    get: (members, member) => {
      if (member in members) return Reflect.get(members, member)
      throw new Error(`the test context has no ${name}.${String(member)}`)
    },
  }) as never

export const testContext = (parts: Partial<ApiContext> & { opt?: OptionMap } = {}): ApiContext => ({
  version: '0.0.0-test',
  hostname: 'test-host',
  masterPid: process.pid,
  thread: testThread(),
  log: silent,
  opt: new Map(),
  access: testAccess,
  state:
    parts.state ??
    StateMap.create({
      workers: Math.max(4, parts.thread?.number ?? 0),
      otherThreads: 4,
      requestSlots: 4,
      requestAreaSize: 4096,
      responseRingSize: 4096,
    }),
  alarmNames: [],
  cores: 1,
  bufferSize: 4096,
  startedOn: 1_700_000_000,
  isReload: false,
  apps: [],
  socketTimeoutMs: 4000,
  master: absent('master'),
  waits: absent('waits', { isAsync: false, commit: () => undefined, readyFd: -1, isTimedOut: false }),
  connections: absent('connections'),
  locks: absent('locks'),
  caches: new Map(),
  metrics: absent('metrics'),
  queue: undefined,
  sharedareas: [],
  signals: absent('signals', { handling: () => undefined, handled: () => 0 }),
  rpc: absent('rpc'),
  mules: absent('mules'),
  spool: absent('spool', { directories: [] }),
  request: undefined,
  setUserHarakiri: () => {},
  ...parts,
})
