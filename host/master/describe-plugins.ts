// Learns what plugins written in a guest's language are, before anything of the server runs: their names, options, modifier1.
// The files are run in a thread of their own, which is ended when one of them does not come to an end.
// Invariant: no guest code runs in the thread of the caller, and no thread is left when this is done.
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import type { OptionMap } from '../api/kinds.ts'
import { PolywsgiError } from '../errors.ts'
import type { GuestPluginDescription } from '../plugin/guest-description.ts'
import type { PluginSource } from '../plugin/plugin-source.ts'
import type { DescribeMessage, DescribeStart } from '../worker/describe-messages.ts'

export interface DescribeOptions {
  /** URL of the module that the thread runs: `#describe-entry`. */
  readonly entry: string
  /** URL of the module of the language's plugin. */
  readonly languageUrl: string
  /** Bytes that the interpreter may have. */
  readonly memoryLimit: number
  readonly pythonPath: readonly string[]
  readonly version: string
  /** The options as far as they are known: what the file finds as `uwsgi.opt`. */
  readonly opt?: OptionMap
  /** How long one file may take to run. */
  readonly limitMs?: number
}

/** A description, or why there is none: PLUGIN_LOAD, the reason alone, with the guest's traceback. */
export type Described = GuestPluginDescription | PolywsgiError

const usualLimitMs = 10_000

/** Of plugins in one language, in their order. Never rejects. */
export const describeGuestPlugins = async (
  sources: readonly PluginSource[],
  options: DescribeOptions,
): Promise<readonly Described[]> => {
  const outcomes: Described[] = []
  // One thread reads them all, unless it is lost by one.
  while (outcomes.length < sources.length) {
    const read = await readFrom(sources.slice(outcomes.length), options)
    outcomes.push(...read)
  }
  return outcomes
}

/** @throws PolywsgiError PLUGIN_LOAD */
export const describeGuestPlugin = async (source: PluginSource, options: DescribeOptions): Promise<GuestPluginDescription> => {
  const [described] = await describeGuestPlugins([source], options)
  if (described instanceof PolywsgiError) throw described
  return described as GuestPluginDescription
}

/** What one thread tells of them: of the first ones, at least of one. */
const readFrom = async (sources: readonly PluginSource[], options: DescribeOptions): Promise<Described[]> => {
  const { languageUrl, memoryLimit, pythonPath, version, opt = new Map(), limitMs = usualLimitMs } = options
  const files = sources.map(({ url }) => fileURLToPath(url))
  const start: DescribeStart = { languageUrl, files, memoryLimit, pythonPath, version, opt }
  const outcomes: Described[] = []
  const worker = new Worker(new URL(options.entry), {
    workerData: start,
    name: 'plugin reader',
    // As threads of the server have it: a file that runs here runs there.
    stdin: false,
    env: process.env['TZ'] === undefined ? {} : { TZ: process.env['TZ'] },
    execArgv: [],
    resourceLimits: { maxYoungGenerationSizeMb: 12, stackSizeMb: 8 },
  })
  const ended = Promise.withResolvers<void>()
  let timer: NodeJS.Timeout | undefined
  const fail = (message: string): void => {
    clearTimeout(timer)
    outcomes.push(new PolywsgiError('PLUGIN_LOAD', message))
  }
  const overrun = (): void => {
    const file = files[outcomes.length]
    fail(`${file}: the file does not come to an end: it was stopped after ${limitMs / 1000} seconds`)
    ended.resolve()
  }
  worker.on('message', (message: DescribeMessage) => {
    clearTimeout(timer)
    if (message.kind === 'begun') timer = setTimeout(overrun, limitMs)
    else if (message.kind === 'described') outcomes.push(message.description)
    else if (message.kind === 'failed') fail(message.details === '' ? message.message : `${message.message}\n${message.details}`)
    else ended.resolve()
  })
  // Before it has said that it is done: as when the machine has no memory left for it.
  worker.on('error', (error: Error) => {
    fail(`the thread that reads it has failed: ${error.message}`)
    ended.resolve()
  })
  worker.on('exit', () => ended.resolve())
  await ended.promise
  clearTimeout(timer)
  await worker.terminate()
  if (outcomes.length === 0) fail('the thread that reads it has ended')
  return outcomes.slice(0, sources.length)
}
