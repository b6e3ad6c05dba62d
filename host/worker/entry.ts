// A thread of the server from its start to its end: boots the plugins, loads the apps, then does what it is for: a worker
// takes requests, a mule messages, a spooler jobs. All three handle signals.

import { parentPort, workerData } from 'node:worker_threads'
import { bindApi } from '../api/bind.ts'
import { MimeTypes } from '../files/mime-types.ts'
import { logAlarmWatcher } from '../log/log-alarms.ts'
import { createLogger } from '../log/logger.ts'
import { limitedLog } from '../log/rate-limit.ts'
import { hookFailure } from '../plugin/plugin-hooks.ts'
import type { PluginRegistry } from '../plugin/registry.ts'
import { socketDefaults } from '../plugin/socket-timeout.ts'
import { headerChange } from '../request/header-change.ts'
import { StateMap } from '../state/state-map.ts'
import { failedApp, loadApps } from './app-loader.ts'
import { ExceptionPolicy } from './exceptions.ts'
import { LostInterpreterError } from './guest-plugins.ts'
import type { Attachment, Identity, MasterMessage, ThreadStart, WorkerMessage } from './messages.ts'
import { Mountpoints } from './mountpoints.ts'
import { runMule } from './mule.ts'
import { parcelPost } from './parcel-post.ts'
import { Recycling, threadMemory } from './recycling.ts'
import { RequestLoop } from './request-loop.ts'
import { servesByItself } from './request-opener.ts'
import type { Role, Work } from './role.ts'
import { runSpooler } from './spooler.ts'
import { ThreadContext } from './thread-context.ts'
import { ThreadHooks } from './thread-hooks.ts'
import { ThreadPlugins } from './thread-plugins.ts'

const start = workerData as ThreadStart
const port = parentPort
if (port === null) throw new Error('this module is the entry of a thread of the server; start it with the polywsgi command')

const { identity } = start.plan
const isSpare = identity.number === 0
const origin = ({ workerId, muleId, spoolerId }: Identity) => ({ [identity.kind]: workerId + muleId + spoolerId })
const startedAt = performance.now()
const shortestLifeMs = 1000
const report = (message: WorkerMessage): void => port.postMessage(message)
const alarmsOf = logAlarmWatcher(start.logAlarms)
const state = StateMap.open(start.state)
const log = createLogger(start.log, state.log.of(start.seat), origin(identity), (line) => {
  for (const alarm of alarmsOf(line)) made?.master.notify('alarm', { name: alarm, message: Buffer.from(line) })
})
const attached = Promise.withResolvers<Attachment>()

socketDefaults.timeout = start.api.socketTimeoutMs / 1000

let made: ThreadContext | undefined

const run = async (): Promise<void> => {
  const guestLog = limitedLog(log, { rate: start.api.logRate, who: () => name() })
  const context = new ThreadContext(start, state, guestLog)
  made = context
  const api = bindApi(context)
  const plugins = new ThreadPlugins({
    starts: start.plugins,
    log,
    timeoutMs: start.pluginTimeoutMs,
    context: {
      log: guestLog,
      opt: start.opt,
      thread: context.thread,
      cores: start.cores,
      workers: start.workers,
      api,
      server: context,
      stops: context.stops,
      memoryLimit: start.memoryLimit,
      pythonPath: start.pythonPath,
      booted: (what, milliseconds, heapBytes) => {
        report({ kind: 'booted', what, milliseconds })
        if (heapBytes !== undefined) context.heaps.add(what, heapBytes)
      },
    },
  })
  const { registry, contextOf } = plugins
  context.registry = registry
  context.onFatal = (error) => end(error.message)
  context.leave = () => {
    log.flush()
    process.exit(0)
  }
  const name = (): string => `${identity.kind} ${context.thread.workerId + context.thread.muleId + context.thread.spoolerId}`
  await plugins.load()
  await plugins.threadStarted()
  const hooks = new ThreadHooks({ start: start.hooks, context, registry, log, callLimitMs: start.pluginTimeoutMs })
  await hooks.started()

  const ready = (): void => {
    context.heaps.tell()
    report({ kind: 'ready' })
  }
  let work: Work | undefined
  const stop = async (): Promise<void> => {
    await work?.stop()
    context.deadlines.endWatch()
    // Requests of other threads may wait for functions of this one.
    await context.master.finish()
    finish(registry)
  }
  port.on('message', (message: MasterMessage) => {
    if (message.kind === 'stop') void stop()
    else attached.resolve(message.attachment)
  })
  /** All that can be done beforehand is done: the thread waits until it is its turn. */
  const attach = async (): Promise<Attachment> => {
    report({ kind: 'loaded' })
    const attachment = await attached.promise
    if (isSpare) {
      context.become(attachment.identity)
      log.setOrigin(origin(attachment.identity))
    }
    return attachment
  }
  let attachment: Attachment | undefined
  if (identity.kind === 'worker' && plugins.mayOverride) {
    // Whoever wants the worker for itself wants it before apps are loaded, and in its predecessor's place.
    attachment = await attach()
    const taken = plugins.workerOverride()
    if (taken !== undefined) {
      ready()
      await taken
      // A hook that is done at once must not have threads started as fast as the machine can.
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, shortestLifeMs - performance.now() + startedAt)))
      log.text(`${name()}: the plugin that took it has done its work`)
      return leave(registry)
    }
  }
  let mountpoints = new Mountpoints([])
  await plugins.loadApps(async () => {
    const apps = await loadApps(start.mounts, registry, contextOf, report)
    context.apps = apps
    context.tellApps(apps.filter(({ handle }) => handle !== failedApp))
    mountpoints = new Mountpoints(apps, (modifier1) => servesByItself(registry.requestPlugin(modifier1)))
  })
  const fixup = (): Promise<void> => plugins.fixup()
  const spoolerInit = (): Promise<void> => plugins.spoolerInit()
  const role: Role = { start, context, registry, contextOf, log, fixup, spoolerInit, ready, end }
  switch (identity.kind) {
    case 'worker': {
      await plugins.startCores(start.cores)
      const begin = async (): Promise<void> => {
        await plugins.fixup()
        context.loaded()
      }
      // A spare is nobody yet: what it is to do as the worker that it becomes, it does then.
      if (!isSpare) await begin()
      attachment ??= await attach()
      if (isSpare) await begin()
      const { workerId } = attachment.identity
      const hijack = plugins.hijack()
      if (hijack !== undefined) {
        // It may never settle, and the start of the server waits for no such worker.
        ready()
        await hijack
      }
      await hooks.accepting(attachment.isFirstStart)
      const recycling =
        start.recycling &&
        new Recycling({
          plan: start.recycling,
          workerId,
          memory: () => threadMemory(context.heaps.total),
          onDue: (reason) => {
            log.text(`...The work of ${name()} is done (${reason}). Seeya!`)
            report({ kind: 'due', reason })
          },
          onStillDue: (reason) => report({ kind: 'due', reason }),
        })
      const loop = new RequestLoop({
        recycling,
        state,
        workerId,
        seat: start.seat,
        account: attachment.account,
        cores: start.cores,
        pid: start.masterPid,
        registry,
        mountpoints,
        log,
        onFatal: context.onFatal,
        handleSignals: () => context.signals.handlePending(),
        post: parcelPost(port),
        responseLimit: start.api.responseLimit,
        mimeTypes: new MimeTypes(start.api.mimeTypes),
        current: context,
        afterRequest: hooks.afterRequest(),
        exceptions: new ExceptionPolicy(start.exceptions),
        changeHeaders: start.headers && headerChange(start.headers),
        onMonitoredException: () => {
          log.text(`... monitored exception detected, respawning ${name()} (pid: ${start.masterPid})...`)
          report({ kind: 'leaving' })
        },
        tellHeaps: () => context.heaps.tell(),
        coreCounters: context.metrics.coreCounters(workerId),
      })
      context.deadlines.giveUp = (request) => loop.giveUp(request)
      work = loop
      state.seats.setServing(start.seat)
      if (hijack === undefined) ready()
      loop.start()
      recycling?.start()
      context.deadlines.watchThread()
      break
    }
    case 'mule':
      await attach()
      work = await runMule(role)
      break
    case 'spooler':
      await attach()
      work = await runSpooler(role)
  }
}

const finish = (registry: PluginRegistry): void => {
  for (const plugin of registry.withHook('atexit')) {
    try {
      plugin.atexit?.()
    } catch (error) {
      log.text(hookFailure(plugin, 'atexit', error))
    }
  }
  log.flush()
  // Timers that guests left behind must not keep the thread.
  process.exit(0)
}

/** The thread has done its work, and another is to take its place. */
const leave = (registry: PluginRegistry): void => {
  report({ kind: 'leaving' })
  setImmediate(() => finish(registry))
}

/** The thread cannot go on: nothing of it can be trusted to run again, not even exit hooks. */
const end = (reason: string): void => {
  log.flush()
  report({ kind: 'fatal', reason })
  // The message must be out before the thread is: process.exit() ends a worker thread at once.
  setImmediate(() => process.exit(1))
}

run().catch((error: Error) => {
  if (error instanceof LostInterpreterError) {
    report({ kind: 'plugin-lost', name: error.plugin, reason: error.message })
    log.flush()
    // Nothing of it may run again, not even exit hooks.
    setImmediate(() => process.exit(0))
    return
  }
  const number = identity.workerId + identity.muleId + identity.spoolerId
  log.text(`${number === 0 ? 'spare worker' : `${identity.kind} ${number}`} could not start: ${error.stack}`)
  report({ kind: 'fatal', reason: error.message })
  setImmediate(() => process.exit(1))
})
