// A worker thread from its start to its end: boots the plugins, loads the apps, takes requests, drains when told to.

import { parentPort, workerData } from 'node:worker_threads'
import { bindApi } from '../api/bind.ts'
import { createLogger } from '../log/logger.ts'
import type { Plugin, WorkerContext } from '../plugin/plugin.ts'
import { importPlugins, PluginRegistry } from '../plugin/registry.ts'
import { StateMap } from '../state/state-map.ts'
import { WorkerState } from '../state/worker-slots.ts'
import { loadApps } from './app-loader.ts'
import type { MasterMessage, WorkerMessage, WorkerStart } from './messages.ts'
import { Mountpoints } from './mountpoints.ts'
import { RequestLoop } from './request-loop.ts'

const start = workerData as WorkerStart
const port = parentPort
if (port === null) throw new Error('this module is the entry of a worker thread; start the server with the polywsgi command')

const report = (message: WorkerMessage): void => port.postMessage(message)
const { workerId, opt } = start
const log = createLogger(start.log, { worker: workerId })
const state = StateMap.open(start.state)

const run = async (): Promise<void> => {
  const { hostname, masterPid, version } = start
  const api = bindApi({ version, hostname, masterPid, workerId, log, opt })
  const plugins = await importPlugins(start.plugins.map(({ url }) => url))
  const contexts = new Map<Plugin, WorkerContext>()
  plugins.forEach((plugin, index) => {
    plugin.data = start.plugins[index]?.data
    contexts.set(plugin, {
      log,
      opt,
      workerId,
      cores: start.cores,
      workers: start.workers,
      data: plugin.data,
      api,
      memoryLimit: start.memoryLimit,
      pythonPath: start.pythonPath,
      booted: (what, milliseconds) => report({ kind: 'booted', what, milliseconds }),
    })
  })
  const contextOf = (plugin: Plugin): WorkerContext => contexts.get(plugin) as WorkerContext
  const registry = new PluginRegistry(plugins)

  for (const plugin of plugins) await plugin.postFork?.(contextOf(plugin))
  for (const plugin of plugins) await plugin.preinitApps?.(contextOf(plugin))
  for (const plugin of plugins) await plugin.initApps?.(contextOf(plugin))
  const apps = await loadApps(start.mounts, registry, contextOf, report)
  for (const plugin of plugins) await plugin.postinitApps?.(contextOf(plugin))
  for (const plugin of plugins) plugin.fixup?.(contextOf(plugin))

  const loop = new RequestLoop({
    state,
    workerId,
    cores: start.cores,
    pid: masterPid,
    registry,
    mountpoints: new Mountpoints(apps),
    log,
    onFatal: (error) => end(error.message),
  })
  port.on('message', (message: MasterMessage) => {
    if (message.kind !== 'stop') return
    void loop.stop().then(() => {
      for (const plugin of plugins) runAtExit(plugin)
      log.flush()
      // Timers that guests left behind must not keep the thread.
      process.exit(0)
    })
  })
  state.workers.setState(workerId, WorkerState.ready)
  report({ kind: 'ready' })
  loop.start()
}

const runAtExit = (plugin: Plugin): void => {
  try {
    plugin.atexit?.()
  } catch (error) {
    log.text(`plugin ${plugin.name}: atexit hook raised: ${(error as Error).stack}`)
  }
}

/** An interpreter is lost: nothing of this thread can be trusted to run again, not even exit hooks. */
const end = (reason: string): void => {
  log.flush()
  report({ kind: 'fatal', reason })
  // The message must be out before the thread is: process.exit() ends a worker thread at once.
  setImmediate(() => process.exit(1))
}

run().catch((error: Error) => {
  log.text(`worker ${workerId} could not start: ${error.stack}`)
  report({ kind: 'fatal', reason: error.message })
  setImmediate(() => process.exit(1))
})
