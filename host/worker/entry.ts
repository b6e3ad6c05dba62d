// A thread of the server from its start to its end: boots the plugins, loads the apps, then does what it is for: a worker
// takes requests, a mule messages, a spooler jobs. All three handle signals.

import { parentPort, workerData } from 'node:worker_threads'
import { bindApi } from '../api/bind.ts'
import { logAlarmWatcher } from '../log/log-alarms.ts'
import { createLogger } from '../log/logger.ts'
import type { Plugin, WorkerContext } from '../plugin/plugin.ts'
import { importPlugins, PluginRegistry } from '../plugin/registry.ts'
import { StateMap } from '../state/state-map.ts'
import { WorkerState } from '../state/worker-slots.ts'
import { loadApps } from './app-loader.ts'
import type { MasterMessage, ThreadStart, WorkerMessage } from './messages.ts'
import { Mountpoints } from './mountpoints.ts'
import { runMule } from './mule.ts'
import { RequestLoop } from './request-loop.ts'
import type { Role, Work } from './role.ts'
import { runSpooler } from './spooler.ts'
import { ThreadContext } from './thread-context.ts'

const start = workerData as ThreadStart
const port = parentPort
if (port === null) throw new Error('this module is the entry of a thread of the server; start it with the polywsgi command')

const { identity } = start.plan
const name = `${identity.kind} ${identity.workerId + identity.muleId + identity.spoolerId}`
const report = (message: WorkerMessage): void => port.postMessage(message)
const alarmsOf = logAlarmWatcher(start.logAlarms)
const log = createLogger(start.log, { [identity.kind]: identity.workerId + identity.muleId + identity.spoolerId }, (line) => {
  for (const alarm of alarmsOf(line)) made?.master.notify('alarm', { name: alarm, message: Buffer.from(line) })
})
const state = StateMap.open(start.state)

let made: ThreadContext | undefined

const run = async (): Promise<void> => {
  const context = new ThreadContext(start, state, log)
  made = context
  const api = bindApi(context)
  const plugins = await importPlugins(start.plugins.map(({ url }) => url))
  const contexts = new Map<Plugin, WorkerContext>()
  plugins.forEach((plugin, index) => {
    plugin.data = start.plugins[index]?.data
    contexts.set(plugin, {
      log,
      opt: start.opt,
      options: new Map(),
      thread: context.thread,
      cores: start.cores,
      workers: start.workers,
      data: plugin.data,
      api,
      server: context,
      memoryLimit: start.memoryLimit,
      pythonPath: start.pythonPath,
      booted: (what, milliseconds) => report({ kind: 'booted', what, milliseconds }),
    })
  })
  const contextOf = (plugin: Plugin): WorkerContext => contexts.get(plugin) as WorkerContext
  const registry = new PluginRegistry(plugins)
  context.plugins = plugins
  context.onFatal = (error) => end(error.message)

  for (const plugin of plugins) await plugin.postFork?.(contextOf(plugin))
  for (const plugin of plugins) await plugin.preinitApps?.(contextOf(plugin))
  for (const plugin of plugins) await plugin.initApps?.(contextOf(plugin))
  const apps = await loadApps(start.mounts, registry, contextOf, report)
  context.apps = apps
  for (const plugin of plugins) await plugin.postinitApps?.(contextOf(plugin))

  const ready = (): void => {
    report({ kind: 'ready' })
  }
  const fixup = async (): Promise<void> => {
    for (const plugin of plugins) await plugin.fixup?.(contextOf(plugin))
  }
  let work: Work | undefined
  const stop = async (): Promise<void> => {
    await work?.stop()
    // Requests of other threads may wait for functions of this one.
    await context.master.finish()
    finish(plugins)
  }
  port.on('message', (message: MasterMessage) => {
    if (message.kind === 'stop') void stop()
  })
  const role: Role = { start, context, plugins, contextOf, log, fixup, ready, end }
  switch (identity.kind) {
    case 'worker': {
      await fixup()
      context.loaded()
      const loop = new RequestLoop({
        state,
        workerId: identity.workerId,
        cores: start.cores,
        pid: start.masterPid,
        registry,
        mountpoints: new Mountpoints(apps),
        log,
        onFatal: context.onFatal,
        handleSignals: () => context.signals.handlePending(),
        current: context,
        coreCounters: context.metrics.coreCounters(identity.workerId),
      })
      work = loop
      state.workers.setState(identity.workerId, WorkerState.ready)
      ready()
      loop.start()
      break
    }
    case 'mule':
      work = await runMule(role)
      break
    case 'spooler':
      work = await runSpooler(role)
  }
}

const finish = (plugins: readonly Plugin[]): void => {
  for (const plugin of plugins) {
    try {
      plugin.atexit?.()
    } catch (error) {
      log.text(`plugin ${plugin.name}: atexit hook raised: ${(error as Error).stack}`)
    }
  }
  log.flush()
  // Timers that guests left behind must not keep the thread.
  process.exit(0)
}

/** The thread cannot go on: nothing of it can be trusted to run again, not even exit hooks. */
const end = (reason: string): void => {
  log.flush()
  report({ kind: 'fatal', reason })
  // The message must be out before the thread is: process.exit() ends a worker thread at once.
  setImmediate(() => process.exit(1))
}

run().catch((error: Error) => {
  log.text(`${name} could not start: ${error.stack}`)
  report({ kind: 'fatal', reason: error.message })
  setImmediate(() => process.exit(1))
})
