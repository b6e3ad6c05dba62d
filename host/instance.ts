// One running server: sockets, master and workers, made from a configuration. The command and the embedding API are two
// thin faces of it. Two instances in one process share nothing.

import type { RequestListener } from 'node:http'
import type { Server } from 'node:net'
import { apiSettings, guestStart } from './api-settings.ts'
import type { Configuration } from './config/index.ts'
import type { ReloadKind } from './control/reload-kinds.ts'
import { PolywsgiError } from './errors.ts'
import { parseAddress, type SocketAddress } from './gateway/address.ts'
import { createFetch } from './gateway/fetch.ts'
import { createHttpListener, createHttpServer, type HttpGatewayOptions } from './gateway/http.ts'
import { listen } from './gateway/listen.ts'
import { bindUdp, type UdpSocket } from './gateway/udp.ts'
import { createUwsgiServer } from './gateway/uwsgi.ts'
import { createState, exceptionSettings, type Parts } from './instance-parts.ts'
import { logAlarmWatcher } from './log/log-alarms.ts'
import { createLogger, type Logger, type LogSettings } from './log/logger.ts'
import { LogFile } from './log-file.ts'
import { Master } from './master/master.ts'
import { MasterHooks } from './master-hooks.ts'
import { Monitoring } from './monitoring.ts'
import { planMounts } from './mounts.ts'
import { Operator } from './operator.ts'
import { type Plans, planAll } from './plans.ts'
import type { PluginSource } from './plugin/plugin-source.ts'
import { Reloads } from './reloads.ts'
import { Scaling } from './scaling.ts'
import { Services } from './services.ts'
import type { StateMap } from './state/state-map.ts'
import { planStaticFiles } from './static-files.ts'
import { StaticService } from './static-service.ts'
import { collectStats, type HostStats } from './stats.ts'
import { statsReport, workReport } from './status-report.ts'

export interface BoundSocket {
  readonly protocol: 'http' | 'uwsgi' | 'udp'
  /** As a client writes it: `127.0.0.1:8080`, or the path of a unix socket. */
  readonly address: string
}

export class Instance {
  readonly configuration: Configuration
  readonly logger: Logger
  readonly master: Master
  readonly services: Services
  readonly hooks: MasterHooks
  readonly operator: Operator
  readonly logFile: LogFile
  readonly #scaling: Scaling | undefined
  /** A guest has called uwsgi.stop(), or somebody else who is named. */
  onStopAsked: (by?: string) => void = () => {}
  readonly #plans: Plans
  readonly #state: StateMap
  readonly #version: string
  readonly #files: StaticService
  readonly #monitoring: Monitoring
  readonly #servers: Server[] = []
  readonly #udpSockets: UdpSocket[] = []
  readonly #sockets: BoundSocket[] = []
  #starting: Promise<void> | undefined
  #stopped: Promise<number> | undefined
  readonly #reloads = new Reloads(
    () => this.#starting ?? Promise.resolve(),
    (kind) => this.#reload(kind),
  )
  #isServing = false

  constructor(configuration: Configuration, parts: Parts, cwd: string) {
    const { settings, opt } = configuration
    this.configuration = configuration
    // First what can be refused without anything to give back.
    const plans = planAll(settings, cwd)
    const mounts = planMounts(settings, cwd)
    const builtIn = parts.plugins.map((url) => ({ text: url, url, isRequired: true, isBuiltIn: true }))
    const plugins: PluginSource[] = [...builtIn, ...configuration.plugins]
    const staticPlan = planStaticFiles(settings, cwd)
    const { workers } = settings
    const state = createState(settings, plans.threads.length - workers)
    this.logFile = new LogFile({ plan: plans.log, descriptor: state.log })
    const logSettings: LogSettings = {
      json: settings.logJson,
      format: settings.logFormat,
      micros: settings.logMicros,
      logRequests: !settings.disableLogging,
    }
    const alarmsOf = logAlarmWatcher(plans.alarms.logAlarms)
    const onLine = (line: string): void => {
      // The first lines are written before there are services; they come from nobody but us.
      for (const alarm of alarmsOf(line)) this.services?.alarms.raise(alarm, Buffer.from(line))
    }
    this.logger = createLogger(logSettings, state.log.of(0), { worker: 0 }, onLine, (why) => this.logFile.lost(why))
    this.#plans = plans
    this.#state = state
    this.#version = parts.version
    try {
      this.logFile.begin(this.logger, parts.version)
      this.services = new Services({
        settings,
        plans,
        state,
        logger: this.logger,
        cwd,
        isReady: (thread) => this.master.supervisor.isReady(thread),
        isSeatReady: (seat) => this.master.supervisor.isSeatReady(seat),
        run: (seat, name, args) => this.master.supervisor.run(seat, name, args),
        onReloadAsked: () => this.#reloadForGuest(),
        onStopAsked: () => this.onStopAsked(),
        onOverran: (workerId) => this.master.plugins.harakiri(workerId, true),
      })
    } catch (error) {
      this.closeLog()
      throw error
    }
    this.hooks = new MasterHooks({
      plan: plans.hooks,
      settings,
      logger: this.logger,
      cwd,
      services: this.services,
      sources: plugins,
      plugins: () => this.master.plugins.plugins,
      onExit: () => this.onStopAsked(),
    })
    this.master = new Master({
      version: parts.version,
      state,
      shared: this.services.shared.handles,
      threads: plans.threads,
      farms: plans.farms,
      workers,
      cores: settings.async,
      listen: settings.listen,
      needApp: settings.needApp,
      memoryLimit: settings.memoryLimit,
      pythonPath: settings.pythonpath,
      mounts,
      opt,
      guests: guestStart(configuration, plans, mounts, cwd),
      api: apiSettings(settings, plans, staticPlan),
      plugins,
      pluginOptions: configuration.pluginOptions,
      hooks: plans.hooks,
      beforeApps: () => this.hooks.beforeApps(),
      exceptions: exceptionSettings(settings),
      headers: plans.headers,
      recycling: plans.recycling,
      pluginTimeoutMs: settings.pluginTimeout * 1000,
      threadEntry: parts.threadEntry,
      logger: this.logger,
      logSettings,
      logAlarms: plans.alarms.logAlarms,
      calls: this.services.calls,
      notices: this.services.notices,
      offload: (request) => this.services.offloader.run(request),
      onRing: () => this.services.drain(),
      threadEnded: (seat) => this.services.threadEnded(seat),
      spares: settings.spare,
      mercyMs: settings.workerReloadMercy * 1000,
      isReloadAwaited: () => this.#reloads.isAwaited,
    })
    this.#files = new StaticService({
      plan: staticPlan,
      headers: plans.headers,
      state,
      logger: this.logger,
      dispatcher: this.master.dispatcher,
    })
    this.#monitoring = new Monitoring({ plan: plans.monitoring, state, server: this })
    this.#scaling =
      plans.cheaper &&
      new Scaling({ plan: plans.cheaper, state, master: this.master, logger: this.logger, isBusy: () => this.#reloads.isRunning })
    this.operator = new Operator({
      configuration,
      logger: this.logger,
      logFile: this.logFile,
      cwd,
      reload: (kind) => this.reloadSoon(kind),
      stop: (isUrgent) => {
        void this.stop(isUrgent ? 0 : undefined)
        this.onStopAsked('master-fifo')
      },
      togglePause: () => this.master.dispatcher.togglePause(),
      changeWorkers: (by) => this.#scaling?.change(by),
      stats: () => statsReport(this.stats()),
      work: () => workReport(this.stats(), state),
    })
  }

  get sockets(): readonly BoundSocket[] {
    return this.#sockets
  }

  /**
   * Binds every configured socket, then starts the workers. Sockets listen before apps load: requests that come
   * meanwhile are held until the first worker is ready.
   */
  start(): Promise<void> {
    this.#starting ??= this.#start()
    return this.#starting
  }

  async #start(): Promise<void> {
    const { settings, warnings, pluginFailures } = this.configuration
    for (const failure of pluginFailures) this.logger.text(failure)
    for (const warning of warnings) this.logger.text(`[warning] ${warning}`)
    await this.master.load()
    await this.hooks.begin()
    for (const address of settings.httpSocket) await this.listen('http', parseAddress(address))
    for (const address of settings.socket) await this.listen('uwsgi', parseAddress(address))
    for (const address of settings.udp) await this.#bindUdp(parseAddress(address))
    await this.#monitoring.start()
    await this.services.prepare()
    await this.operator.start()
    await this.master.start()
    await this.hooks.afterApps()
    this.services.start()
    await this.hooks.masterStarted()
    this.#scaling?.start()
    this.#isServing = true
  }

  /**
   * Loads the apps anew: successors boot first, nothing is lost. Resolves when all threads concerned are newer than the call: asked
   * for during the start, or during another reload, it follows that.
   * @throws AppLoadError when an app is lost that was there before, or any with `need-app`, PolywsgiError WORKER_DIED when a
   *   thread cannot start anew, HOST_CLOSED; what was there before goes on then
   */
  reload(kind: ReloadKind = 'graceful'): Promise<void> {
    return this.#reloads.ask(kind)
  }

  /** Has another thread follow a worker's when it is ready. */
  renewWorker(workerId: number, reason: string): void {
    this.master.supervisor.renewWorker(workerId, reason)
  }

  async #reload(kind: ReloadKind): Promise<void> {
    this.#refuseIfStopped()
    // Other threads have registered what these will, and might not all register it again.
    const isWhole = kind === 'graceful' || kind === 'chain'
    try {
      await this.hooks.reloadStarted()
      if (isWhole) this.services.reloadStarted()
      await this.master.reload(kind)
      await this.hooks.afterApps()
      if (isWhole) this.services.reloadFinished()
      await this.hooks.masterStarted()
    } finally {
      this.hooks.reloadEnded()
    }
  }

  /** A reload that nobody waits for. */
  reloadSoon(kind?: ReloadKind): void {
    this.reload(kind).catch((error: Error) => {
      if (this.#stopped === undefined) this.logger.text(`reload failed: ${error.message}`)
    })
  }

  /** An app that asks for a reload while it is loaded would have the server reload for ever. */
  #reloadForGuest(): void {
    if (!this.#isServing || this.#reloads.isRunning) {
      this.logger.text('uwsgi.reload() is passed over: apps are being loaded already')
      return
    }
    this.reloadSoon()
  }

  #refuseIfStopped(): void {
    if (this.#stopped !== undefined) throw new PolywsgiError('HOST_CLOSED', 'the server is stopped')
  }

  stats(): HostStats {
    const { master, services } = this
    const { listen } = this.configuration.settings
    const { spoolers } = this.#plans
    return collectStats({
      version: this.#version,
      state: this.#state,
      services,
      master,
      listen,
      sockets: this.#sockets,
      spoolers,
    })
  }

  /** Binds one more socket. @throws PolywsgiError SOCKET_BIND, HOST_CLOSED */
  async listen(protocol: 'http' | 'uwsgi', address: SocketAddress): Promise<BoundSocket> {
    this.#refuseIfStopped()
    const { settings } = this.configuration
    const server =
      protocol === 'http'
        ? createHttpServer(this.#httpOptions(true))
        : createUwsgiServer({ ...this.#httpOptions(true), socketTimeoutSeconds: settings.socketTimeout })
    const bound = await listen(server, { address, backlog: Math.max(settings.listen, kernelBacklog), mode: settings.chmodSocket })
    if (this.#stopped !== undefined) {
      server.close()
      this.#refuseIfStopped()
    }
    const socket = { protocol, address: bound }
    this.#servers.push(server)
    this.#sockets.push(socket)
    return socket
  }

  async #bindUdp(address: SocketAddress): Promise<void> {
    const socket = await bindUdp(address, {
      manage: (from, port, packet) => this.master.plugins.manageUdp(from, port, packet),
      log: (line) => this.logger.bytes(line),
    })
    this.#udpSockets.push(socket)
    this.#sockets.push({ protocol: 'udp', address: socket.address })
    if (this.#stopped !== undefined) await this.#closeUdp()
  }

  async #closeUdp(): Promise<void> {
    await Promise.all(this.#udpSockets.splice(0).map((socket) => socket.close()))
  }

  /** A node:http listener that serves by this instance's workers. */
  httpListener(): RequestListener {
    return createHttpListener(this.#httpOptions(false))
  }

  fetch(): (request: Request) => Promise<Response> {
    return createFetch(this.#httpOptions(false))
  }

  /**
   * Stops: sockets close, running requests get `reload-mercy` seconds, threads end. @returns requests that were cut off
   */
  stop(mercyMs = this.configuration.settings.reloadMercy * 1000): Promise<number> {
    this.#stopped ??= this.#stop(mercyMs)
    return this.#stopped
  }

  /** For a process that ends in this turn: what it would leave behind in the file system is removed. */
  vacuum(): void {
    for (const server of this.#servers) server.close()
    this.#monitoring.stop()
    this.operator.close()
  }

  /** After the stop: nothing is logged any more. The descriptor's number may be another file's from here on. */
  closeLog(): void {
    this.logger.close()
    this.logFile.close()
  }

  async #stop(mercyMs: number): Promise<number> {
    this.master.supervisor.beginStop()
    this.hooks.beginStop()
    this.operator.close()
    this.#scaling?.stop()
    this.master.dispatcher.resume()
    // A start that is under way ends by this; nothing of it may come up after the stop.
    await this.#starting?.catch(() => {})
    const closed = this.#servers.map((server) => new Promise<void>((resolve) => server.close(() => resolve())))
    // Keep-alive connections without a request would hold the server open for as long as their clients like.
    for (const server of this.#servers)
      if ('closeIdleConnections' in server) (server as { closeIdleConnections(): void }).closeIdleConnections()
    this.services.stopClocks()
    await this.#closeUdp()
    const [filesCutOff, requestsCutOff] = await Promise.all([this.#files.stop(mercyMs), this.master.stop(mercyMs)])
    this.#monitoring.stop()
    const cutOff = filesCutOff + requestsCutOff
    await this.hooks.atExit()
    await this.services.close()
    for (const server of this.#servers)
      if ('closeAllConnections' in server) (server as { closeAllConnections(): void }).closeAllConnections()
    await Promise.race([Promise.all(closed), new Promise((resolve) => setTimeout(resolve, closeMs).unref())])
    this.logger.flush()
    return cutOff
  }

  /** @param ownsChunks false where the embedding program may read the same connection */
  #httpOptions(ownsChunks: boolean): HttpGatewayOptions {
    const { settings } = this.configuration
    return {
      submit: (exchange) => this.#files.submit(exchange),
      log: (line) => this.logger.text(line),
      limits: { limitPost: settings.limitPost, postBuffering: settings.postBuffering, ownsChunks },
      bufferSize: settings.bufferSize,
      modifier1: settings.httpSocketModifier1,
      modifier2: settings.httpSocketModifier2,
      keepAliveSeconds: settings.httpKeepalive,
      timeoutSeconds: settings.httpTimeout,
      isDraining: () => this.#stopped !== undefined,
    }
  }
}

/** uwsgi front ends open a connection per request: a short kernel queue would refuse them in bursts. */
const kernelBacklog = 511
/** Answers that are written get this long to leave, in milliseconds. */
const closeMs = 1000
