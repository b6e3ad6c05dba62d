// A thread that lives for as long as it takes to read plugin files of one language: it boots the language, runs each file in
// its sandbox, and tells what the file says of itself. Nothing of a server is here, and whoever started it may end it at any
// time.
import { hostname } from 'node:os'
import { parentPort, workerData } from 'node:worker_threads'
import type { Log } from '../api/context.ts'
import { AppLoadError } from '../errors.ts'
import { descriptionOf } from '../plugin/guest-description.ts'
import type { Plugin, WorkerContext } from '../plugin/plugin.ts'
import type { DescribeMessage, DescribeStart } from './describe-messages.ts'
import { describingApi, describingContext } from './describing-api.ts'

const { languageUrl, files, memoryLimit, pythonPath, opt, version } = workerData as DescribeStart
const port = parentPort
if (port === null) throw new Error('this module is the entry of a thread of the server; start it with the polywsgi command')
const report = (message: DescribeMessage): void => port.postMessage(message)

// What a file prints is printed by each thread of the server, which runs it too.
const log: Log = { text: () => {}, bytes: () => {} }

const boot = async (): Promise<{ language: Plugin; context: WorkerContext }> => {
  const language = ((await import(/* @vite-ignore */ languageUrl)) as { default: Plugin }).default
  const server = describingContext({ version, hostname: hostname(), opt, log })
  const options = new Map()
  await language.init?.({ log, opt, options, workers: 1, isNeeded: true })
  const context: WorkerContext = {
    log,
    opt,
    options,
    thread: server.thread,
    cores: 1,
    workers: 1,
    data: language.data,
    api: describingApi(server),
    server,
    // Whoever started this thread ends it when it takes too long.
    stops: { word: new Int32Array(1), isWanted: false, judge: () => undefined, stopped: () => {} },
    memoryLimit,
    pythonPath,
    booted: () => {},
  }
  await language.postFork?.(context)
  return { language, context }
}

const describe = async (): Promise<void> => {
  const { language, context } = await boot()
  for (const file of files) {
    report({ kind: 'begun' })
    try {
      const plugin = await language.loadPlugin?.(file, context)
      if (plugin === undefined) throw new Error(`plugin ${language.name} loads no plugins`)
      report({ kind: 'described', description: descriptionOf(plugin) })
    } catch (error) {
      const { message } = error as Error
      report({ kind: 'failed', message, details: error instanceof AppLoadError ? error.details : '' })
      // The interpreter is lost; others are to be read by another.
      if ((error as { fatal?: boolean }).fatal === true) break
    }
  }
}

describe()
  .catch((error: Error) => report({ kind: 'failed', message: error.message, details: '' }))
  .finally(() => report({ kind: 'done' }))
