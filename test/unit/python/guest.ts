// An interpreter whose `uwsgi` module has the functions that a test gives it, and runs code that the test gives it: for
// tests of the binding alone, without the table and its implementations.
import pythonPlugin from '../../../bindings/python/index.ts'
import type { BoundApi, BoundAttribute, BoundFunction } from '../../../host/api/bind.ts'
import { checkArguments } from '../../../host/api/check-arguments.ts'
import type { GuestFunction } from '../../../host/api/guest-function.ts'
import type { GuestStops } from '../../../host/api/guest-stops.ts'
import type { ApiFunction, ApiParameter, ApiResult, ApiValue } from '../../../host/api/kinds.ts'
import type { Plugin, WorkerContext } from '../../../host/plugin/plugin.ts'
import { testContext } from '../../support/api-context.ts'
import { TestStops } from '../../support/test-stops.ts'
import { appPath } from './python-harness.ts'

export const plugin = pythonPlugin as Plugin

export interface TestFunction {
  name: string
  params?: readonly ApiParameter[]
  returns?: ApiResult
  aliases?: readonly string[]
  call(...args: never[]): unknown
}

export const parameter = (type: ApiParameter['type'], more: Partial<ApiParameter> = {}): ApiParameter => ({
  name: 'value',
  type,
  doc: '',
  ...more,
})

const bind = ({ name, params = [], returns = 'none', aliases = [], call }: TestFunction): BoundFunction => {
  const entry: ApiFunction = {
    shape: 'function',
    group: 'logging',
    kind: 'immediate',
    raises: [],
    doc: `Documentation of ${name}.`,
    example: { js: '', lua: '', python: '' },
    name,
    params,
    returns,
    aliases,
  }
  return { entry, call: (args) => call(...(checkArguments(entry, args) as never[])) as ApiValue }
}

const attribute = (name: string, type: ApiResult, value: ApiValue): BoundAttribute => ({
  entry: { shape: 'attribute', group: 'identity', doc: '', example: { js: '', lua: '', python: '' }, name, type },
  value,
})

/** What a function answers at once, or later if it is a coroutine function that waits. */
type Answer = Uint8Array | undefined

export class Guest {
  readonly context: WorkerContext
  /** What the guest registered by `uwsgi.keep(name, function)`. */
  readonly kept: Map<string, GuestFunction>
  readonly log: string[]

  private constructor(context: WorkerContext, kept: Map<string, GuestFunction>, log: string[]) {
    this.context = context
    this.kept = kept
    this.log = log
  }

  static async boot(
    functions: readonly TestFunction[],
    attributes: readonly [string, ApiResult, ApiValue][] = [],
    stops: GuestStops = new TestStops(false),
  ): Promise<Guest> {
    const lines: string[] = []
    const log = {
      text: (line: string) => void lines.push(...line.split('\n')),
      bytes: (line: Uint8Array) => void lines.push(Buffer.from(line).toString()),
    }
    await plugin.init?.({ log, opt: new Map(), options: new Map(), workers: 1, isNeeded: true })
    const kept = new Map<string, GuestFunction>()
    const keep = (name: string, handler: GuestFunction): void => {
      const last = kept.get(name)
      kept.set(name, handler)
      last?.release()
    }
    const names = [parameter('text', { name: 'name' }), parameter('function', { name: 'function' })]
    const api: BoundApi = {
      functions: [{ name: 'keep', params: names, call: keep }, ...functions].map(bind),
      attributes: [
        attribute('version', 'bytes', Buffer.from('0')),
        attribute('hostname', 'bytes', Buffer.from('test')),
        ...attributes.map((spec) => attribute(...spec)),
      ],
      hooks: [],
    }
    const server = testContext({ log })
    const context: WorkerContext = {
      ...{ log, opt: new Map(), options: new Map(), thread: server.thread, cores: 1, workers: 1, data: plugin.data, api, server },
      ...{ stops, memoryLimit: 256 * 1024 * 1024, pythonPath: [], booted: () => {} },
    }
    await plugin.postFork?.(context)
    const guest = new Guest(context, kept, lines)
    await guest.load('evaluate.py')
    return guest
  }

  /** Loads a file of the test applications. */
  async load(file: string): Promise<unknown> {
    return await plugin.mountApp?.({ mountpoint: '', source: appPath(file), callable: undefined }, this.context)
  }

  /** What a function that the guest has kept answers to bytes. */
  call(name: string, ...args: readonly (string | Uint8Array)[]): Answer & Promise<Answer> {
    const handler = this.kept.get(name)?.handler
    return plugin.rpc?.(
      handler,
      args.map((argument) => (typeof argument === 'string' ? Buffer.from(argument) : argument)),
    ) as Answer & Promise<Answer>
  }

  /** The `repr` of an expression, or of what statements leave in `result`; or the exception as `Type: message`. */
  run(code: string): string {
    return Buffer.from(this.call('evaluate', code) ?? []).toString()
  }
}
