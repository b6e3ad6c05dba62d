// A worker whose Python requests run on cores, and whose waits end when the test says so.

import plugin from '../../../bindings/python/index.ts'
import type { ApiContext, CoreWaits } from '../../../host/api/context.ts'
import type { GuestStops } from '../../../host/api/guest-stops.ts'
import type { HarnessRequest, HarnessResponse } from '../../support/plugin-harness.ts'
import { PythonServer } from './python-harness.ts'

/** Runs until nothing moves without the test any more. */
export const settle = async (): Promise<void> => {
  for (let turn = 0; turn < 4; turn += 1) await new Promise((resolve) => setImmediate(resolve))
}

export class CoreServer {
  readonly server: PythonServer
  /** One per `uwsgi.suspend()` and streamed chunk that waits: ends the wait. */
  readonly waiting: PromiseWithResolvers<void>[]

  private constructor(server: PythonServer, waiting: PromiseWithResolvers<void>[]) {
    this.server = server
    this.waiting = waiting
  }

  static async boot(
    options: { cores?: number; memoryLimit?: number; file?: string; stops?: GuestStops; services?: Partial<ApiContext> } = {},
  ): Promise<CoreServer> {
    const waiting: PromiseWithResolvers<void>[] = []
    const begin = (): Promise<void> => {
      const wait = Promise.withResolvers<void>()
      waiting.push(wait)
      return wait.promise
    }
    const waits: CoreWaits = {
      ...{ isAsync: true, readyFd: -1, isTimedOut: false },
      ...{ addFd: () => {}, addTimeout: () => {}, commit: begin, settled: begin },
      park: () => {
        throw new Error('parked')
      },
    }
    plugin.enableThreads?.()
    const { file = 'probe.py', services, ...more } = options
    return new CoreServer(await PythonServer.boot(file, { cores: 8, ...more, server: { ...services, waits } }), waiting)
  }

  /** Begins a request that runs `code`. */
  begin(code: string, request: HarnessRequest = {}): Promise<HarnessResponse> {
    return this.server.ask('application', { method: 'POST', body: code, ...request })
  }

  /** What a request that runs `code` leaves in `result`, however often it waits. */
  async run(code: string): Promise<string> {
    const response = this.begin(code)
    let isDone = false
    response.then(
      () => {
        isDone = true
      },
      () => {
        isDone = true
      },
    )
    while (!isDone) {
      await settle()
      this.resume()
    }
    return (await response).text
  }

  /** Ends all waits that are under way, the one begun last first. Returns how many. */
  resume(): number {
    const ended = this.waiting.splice(0).reverse()
    for (const wait of ended) wait.resolve()
    return ended.length
  }

  /** Runs several at the same time, each until it waits, over and over. */
  async together(codes: readonly string[]): Promise<string[]> {
    const responses = Promise.all(codes.map((code) => this.begin(code)))
    let isDone = false
    const end = (): void => {
      isDone = true
    }
    responses.then(end, end)
    while (!isDone) {
      await settle()
      this.resume()
    }
    return (await responses).map(({ text }) => text)
  }
}
