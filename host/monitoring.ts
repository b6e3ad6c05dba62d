// How a running server is watched and commanded: the stats server, metrics for Prometheus, the control socket. All of them tell
// what `stats()` tells, and do what the embedding program can do.
import { type Controlled, type ControlledCache, runCommand } from './control/commands.ts'
import type { ReloadKind } from './control/reload-kinds.ts'
import type { SocketAddress } from './gateway/address.ts'
import { createControlServer } from './gateway/control-socket.ts'
import { listen } from './gateway/listen.ts'
import { createDumpServer, createPageServer, type ObservedServer, type Page } from './gateway/stats-server.ts'
import type { Logger } from './log/logger.ts'
import type { LogFile } from './log-file.ts'
import type { MonitoringPlan } from './monitoring-plan.ts'
import { prometheusText, prometheusType } from './prometheus.ts'
import type { Services } from './services.ts'
import type { Cache } from './state/cache.ts'
import { signalCount } from './state/signal-table.ts'
import type { StateMap } from './state/state-map.ts'
import type { HostStats } from './stats.ts'
import { statsJson } from './stats-json.ts'

export interface MonitoringOptions {
  readonly plan: MonitoringPlan
  readonly state: StateMap
  readonly server: WatchedServer
}

/** What is needed of an Instance. */
export interface WatchedServer {
  readonly services: Services
  readonly logger: Pick<Logger, 'text'>
  stats(): HostStats
  reload(kind: ReloadKind): Promise<void>
  readonly logFile: Pick<LogFile, 'reopen' | 'rotate'>
  onStopAsked(): void
}

const backlog = 64

export class Monitoring {
  readonly #options: MonitoringOptions
  readonly #servers: ObservedServer[] = []
  #isStopped = false

  constructor(options: MonitoringOptions) {
    this.#options = options
  }

  /** @throws PolywsgiError SOCKET_BIND */
  async start(): Promise<void> {
    const { plan, server } = this.#options
    const log = (line: string): void => server.logger.text(line)
    const { stats, prometheus, control } = plan
    if (stats !== undefined) {
      const dump = plan.isHttp ? createPageServer((path) => this.#page(path)) : createDumpServer(() => this.#json())
      log(`*** stats server enabled on ${await this.#bind(dump, stats)} ***`)
    } else if (plan.isHttp) log('[warning] stats-http does nothing without an address: give stats = ADDRESS too')
    if (prometheus !== undefined) {
      const pages = createPageServer((path) => (path === metricsPath ? this.#metrics() : undefined))
      log(`*** metrics for Prometheus at http://${await this.#bind(pages, prometheus)}${metricsPath} ***`)
    }
    if (control !== undefined) {
      const commands = createControlServer({ run: (question) => runCommand(this.#controlled, question) })
      await this.#bind(commands, { kind: 'unix', path: control, text: control }, 0o600)
      log(`*** control socket ${control} ***`)
    }
  }

  stop(): void {
    this.#isStopped = true
    for (const server of this.#servers.splice(0)) server.close()
  }

  async #bind(observed: ObservedServer, address: SocketAddress, mode?: number): Promise<string> {
    const bound = await listen(observed.server, { address, backlog, mode, isPrivate: mode !== undefined })
    if (this.#isStopped) observed.close()
    else this.#servers.push(observed)
    return bound
  }

  #page(path: string): Page {
    return path === metricsPath ? this.#metrics() : { type: 'application/json', text: this.#json() }
  }

  #json(): string {
    return statsJson(this.#options.server.stats(), this.#options.plan)
  }

  #metrics(): Page {
    const { plan, server } = this.#options
    const metrics = server.services.shared.metrics.handle.custom.map(({ name }) => name)
    return { type: prometheusType, text: prometheusText(server.stats(), { noCores: plan.noCores, metrics }) }
  }

  readonly #controlled: Controlled = {
    workers: () => {
      const { server, state } = this.#options
      return server.stats().workers.map((worker) => ({
        id: worker.id,
        status: worker.status,
        accepting: worker.accepting === 1,
        requests: worker.requests,
        running: state.workers.running(worker.id),
        exceptions: worker.exceptions,
        harakiris: worker.harakiri_count,
        respawns: worker.respawn_count,
        lastSpawn: worker.last_spawn,
        heapBytes: worker.heap_bytes,
      }))
    },
    stats: () => this.#options.server.stats(),
    reload: (kind) => {
      const { server } = this.#options
      server.logger.text(`polywsgi ctl: reload (${kind})`)
      return server.reload(kind)
    },
    reopenLog: () => this.#options.server.logFile.reopen(),
    rotateLog: () => this.#options.server.logFile.rotate(),
    caches: () => {
      const { caches } = this.#options.server.services.shared
      return new Map([...caches].map(([name, cache]) => [name, controlled(cache)]))
    },
    rpcNames: () => this.#options.server.services.rpc.names(),
    callRpc: (name, args) => this.#options.server.services.callRpc(name, args),
    signals: () => {
      const { table, seats } = this.#options.server.services.shared.signals
      return Array.from({ length: signalCount }, (_, signum) => ({ signum, row: table.row(signum) })).flatMap(
        ({ signum, row }) => {
          if (row === undefined) return []
          const handlers = Array.from({ length: seats }, (_, seat) => table.hasHandler(seat, signum)).filter(Boolean).length
          return [{ signum, receiver: row.receiver, handlers }]
        },
      )
    },
    signal: (signum) => this.#options.server.services.signals.route(signum),
    // The answer is to be out first.
    stop: () => {
      const { server } = this.#options
      server.logger.text('polywsgi ctl: stop')
      setImmediate(() => server.onStopAsked())
    },
  }
}

const metricsPath = '/metrics'

const controlled = (cache: Cache): ControlledCache => ({
  get row() {
    const { name, items, max_items, hits, miss, full } = cache.statistics
    return { name, items, maxItems: max_items, hits, misses: miss, full }
  },
  get: (key) => cache.get(key),
  set: (key, value, expires) => cache.update(key, value, expires),
  delete: (key) => cache.del(key),
  keys: () => cache.keys(),
  clear: () => cache.clear(),
})
