// Parts of a server for tests of the whole `uwsgi` module in one thread: they keep what guests register and note what
// guests ask for.
import type { ApiContext, Mules, Rpc, Signals, Spool, ThreadIdentity } from '../../../host/api/context.ts'
import type { GuestFunction } from '../../../host/api/guest-function.ts'
import type { BytesMap } from '../../../host/api/kinds.ts'
import type { MasterCalls } from '../../../host/api/master-calls.ts'
import { Locks } from '../../../host/state/locks.ts'
import { testThread } from '../../support/api-context.ts'

export class Services {
  readonly functions = new Map<string, GuestFunction>()
  readonly handlers = new Map<number, { kind: string; handler: GuestFunction }>()
  readonly masterCalls: [name: string, args: unknown][] = []
  readonly messages: { message: Uint8Array; target: number | string | undefined }[] = []
  /** What `mule_get_msg` and `farm_get_msg` give. */
  readonly arriving: Uint8Array[] = []
  readonly jobs: BytesMap[] = []
  readonly locks = Locks.create({ locks: 1 })
  readonly harakiri: number[] = []

  context(thread: Partial<ThreadIdentity> = {}): Partial<ApiContext> {
    const rpc: Rpc = {
      register: (name, handler) => {
        const last = this.functions.get(name)
        this.functions.set(name, handler)
        last?.release()
      },
      call: (name, args) => this.call(name, ...args),
      callAsync: async (name, args) => this.call(name, ...args),
      callRemote: () => undefined,
      callRemoteAsync: () => undefined,
      names: () => [...this.functions.keys()],
    }
    const signals: Signals = {
      raise: () => true,
      register: (signum, kind, handler) => void this.handlers.set(signum, { kind, handler }),
      isRegistered: (signum) => this.handlers.has(signum),
      wait: (signum) => this.signal(signum ?? 0),
      waitAsync: async (signum) => this.signal(signum ?? 0),
      handling: () => undefined,
      handled: () => 0,
      lastReceived: 0,
    }
    const mules: Mules = {
      send: (message, target) => this.messages.push({ message, target }) > 0,
      receive: () => this.next(),
      receiveFromFarm: () => this.next(),
      isInFarm: (name) => name === 'farm',
    }
    const spool: Spool = {
      directories: ['/spool'],
      submit: (job) => `/spool/job${this.jobs.push(job)}`,
      jobs: () => this.jobs.map((_, index) => `/spool/job${index + 1}`),
      read: () => undefined,
      setFrequency: () => {},
    }
    const call = (name: string, args: unknown) => void this.masterCalls.push([name, args])
    return {
      ...{ rpc, signals, mules, spool, locks: this.locks },
      master: { call, notify: call } as unknown as MasterCalls,
      setUserHarakiri: (seconds) => void this.harakiri.push(seconds),
      thread: { ...testThread(1), ...thread },
    }
  }

  call(name: string, ...args: readonly Uint8Array[]): Uint8Array | undefined {
    const found = this.functions.get(name)
    return found?.owner.rpc?.(found.handler, args) as Uint8Array | undefined
  }

  signal(signum: number): void {
    const found = this.handlers.get(signum)
    if (found === undefined) throw new Error(`no handler of signal ${signum}`)
    found.handler.owner.signalHandler?.(signum, found.handler.handler)
  }

  next(): Uint8Array {
    const message = this.arriving.shift()
    if (message === undefined) throw new Error('the test has no more messages')
    return message
  }
}
