// The statistics in the text format of Prometheus (version 0.0.4), under the names of uwsgi_exporter: dashboards and alerts made
// for it find what they look for. What only polywsgi has is named polywsgi_*.
// Invariant: a family stands together, with one HELP and one TYPE before its first sample, and no two samples have the same labels.
import type { HostStats } from './stats.ts'

export const prometheusType = 'text/plain; version=0.0.4; charset=utf-8'

type Labels = Readonly<Record<string, string | number>>

interface Sample {
  readonly labels?: Labels
  readonly value: number
}

interface Family {
  readonly name: string
  readonly type: 'counter' | 'gauge'
  readonly help: string
  readonly samples: readonly Sample[]
}

export interface PrometheusOptions {
  /** Without the counters of single cores. */
  readonly noCores: boolean
  /** The metrics of the configuration (`metric`), by name. */
  readonly metrics: readonly string[]
}

export const prometheusText = (stats: HostStats, options: PrometheusOptions): string =>
  familiesOf(stats, options)
    .filter(({ samples }) => samples.length > 0)
    .map(render)
    .join('')

const escapeHelp = (text: string): string => text.replace(/\\/g, '\\\\').replace(/\n/g, '\\n')
const escapeValue = (text: string): string => escapeHelp(text).replace(/"/g, '\\"')

const render = ({ name, type, help, samples }: Family): string => {
  const lines = [`# HELP ${name} ${escapeHelp(help)}`, `# TYPE ${name} ${type}`]
  for (const { labels = {}, value } of samples) {
    const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escapeValue(String(text))}"`)
    lines.push(`${name}${pairs.length > 0 ? `{${pairs.join(',')}}` : ''} ${value}`)
  }
  return `${lines.join('\n')}\n`
}

/** A gauge or counter for each of some things. */
const each = <Item>(items: readonly Item[], labels: (item: Item) => Labels) => {
  const family =
    (type: Family['type']) =>
    (name: string, help: string, value: (item: Item) => number): Family => ({
      name,
      type,
      help,
      samples: items.map((item) => ({ labels: labels(item), value: value(item) })),
    })
  return { gauge: family('gauge'), counter: family('counter') }
}

const gauge = (name: string, help: string, value: number): Family => ({ name, type: 'gauge', help, samples: [{ value }] })
const counter = (name: string, help: string, value: number): Family => ({ name, type: 'counter', help, samples: [{ value }] })

/** Counted in microseconds, told in seconds. */
const seconds = (microseconds: number): number => microseconds / 1_000_000

const familiesOf = (stats: HostStats, options: PrometheusOptions): Family[] => [
  gauge('uwsgi_up', 'Whether the server is up.', 1),
  gauge('uwsgi_listen_queue_length', 'Length of listen queue.', stats.listen_queue),
  gauge('uwsgi_listen_queue_errors', 'Number of listen queue errors.', stats.listen_queue_errors),
  gauge('uwsgi_signal_queue_length', 'Length of signal queue.', stats.signal_queue),
  gauge('uwsgi_workers', 'Number of workers.', stats.workers.length),
  ...socketFamilies(stats),
  ...workerFamilies(stats),
  ...appFamilies(stats),
  ...(options.noCores ? [] : coreFamilies(stats)),
  ...cacheFamilies(stats),
  ...ownFamilies(stats, options),
]

const socketFamilies = ({ sockets }: HostStats): Family[] => {
  const { gauge } = each(sockets, ({ name, proto }) => ({ name, proto }))
  return [
    gauge('uwsgi_socket_queue_length', 'Length of socket queue.', ({ queue }) => queue),
    gauge('uwsgi_socket_max_queue_length', 'Max length of socket queue.', ({ max_queue }) => max_queue),
    gauge('uwsgi_socket_shared', 'Is shared socket?', ({ shared }) => shared),
    gauge('uwsgi_socket_can_offload', 'Can socket offload?', ({ can_offload }) => can_offload),
  ]
}

const workerFamilies = ({ workers }: HostStats): Family[] => {
  const { gauge, counter } = each(workers, ({ id }) => ({ worker_id: id }))
  const isStatus = (status: string) => (worker: { readonly status: string }) => (worker.status === status ? 1 : 0)
  return [
    gauge('uwsgi_worker_accepting', 'Is this worker accepting requests?', ({ accepting }) => accepting),
    gauge('uwsgi_worker_delta_requests', 'Number of delta requests', ({ delta_requests }) => delta_requests),
    gauge('uwsgi_worker_signal_queue_length', 'Length of signal queue.', ({ signal_queue }) => signal_queue),
    gauge('uwsgi_worker_rss_bytes', 'Worker RSS bytes.', ({ rss }) => rss),
    gauge('uwsgi_worker_vsz_bytes', 'Worker VSZ bytes.', ({ vsz }) => vsz),
    gauge('uwsgi_worker_running_time_seconds', 'Worker running time in seconds.', ({ running_time }) => seconds(running_time)),
    gauge('uwsgi_worker_last_spawn_time_seconds', 'Last spawn time in seconds since epoch.', ({ last_spawn }) => last_spawn),
    gauge('uwsgi_worker_average_response_time_seconds', 'Average response time in seconds.', ({ avg_rt }) => seconds(avg_rt)),
    gauge('uwsgi_worker_apps', 'Number of apps.', ({ apps }) => apps.length),
    gauge('uwsgi_worker_cores', 'Number of cores.', ({ cores }) => cores.length),
    gauge('uwsgi_worker_busy', 'Is core in busy?', isStatus('busy')),
    gauge('uwsgi_worker_idle', 'Is core in idle?', isStatus('idle')),
    gauge('uwsgi_worker_cheap', 'Is core in cheap mode?', isStatus('cheap')),
    counter('uwsgi_worker_requests_total', 'Total number of requests.', ({ requests }) => requests),
    counter('uwsgi_worker_exceptions_total', 'Total number of exceptions.', ({ exceptions }) => exceptions),
    counter('uwsgi_worker_harakiri_count_total', 'Total number of harakiri count.', ({ harakiri_count }) => harakiri_count),
    counter('uwsgi_worker_signals_total', 'Total number of signals.', ({ signals }) => signals),
    counter('uwsgi_worker_respawn_count_total', 'Total number of respawn count.', ({ respawn_count }) => respawn_count),
    counter('uwsgi_worker_transmitted_bytes_total', 'Worker transmitted bytes.', ({ tx }) => tx),
  ]
}

const appFamilies = ({ workers }: HostStats): Family[] => {
  const apps = workers.flatMap((worker) => worker.apps.map((app) => ({ worker_id: worker.id, ...app })))
  const { gauge, counter } = each(apps, ({ worker_id, id, mountpoint, chdir }) => ({ worker_id, app_id: id, mountpoint, chdir }))
  return [
    gauge('uwsgi_worker_app_startup_time_seconds', 'How long this app took to start.', ({ startup_time }) => startup_time),
    counter('uwsgi_worker_app_requests_total', 'Total number of requests.', ({ requests }) => requests),
    counter('uwsgi_worker_app_exceptions_total', 'Total number of exceptions.', ({ exceptions }) => exceptions),
  ]
}

const coreFamilies = ({ workers }: HostStats): Family[] => {
  const cores = workers.flatMap((worker) => worker.cores.map((core) => ({ worker_id: worker.id, ...core })))
  const { gauge, counter } = each(cores, ({ worker_id, id }) => ({ worker_id, core_id: id }))
  const name = (what: string): string => `uwsgi_worker_core_${what}`
  return [
    gauge(name('busy'), 'Is core busy', ({ in_request }) => in_request),
    counter(name('requests_total'), 'Total number of requests.', ({ requests }) => requests),
    counter(name('static_requests_total'), 'Total number of static requests.', (core) => core.static_requests),
    counter(name('routed_requests_total'), 'Total number of routed requests.', (core) => core.routed_requests),
    counter(name('offloaded_requests_total'), 'Total number of offloaded requests.', (core) => core.offloaded_requests),
    counter(name('write_errors_total'), 'Total number of write errors.', ({ write_errors }) => write_errors),
    counter(name('read_errors_total'), 'Total number of read errors.', ({ read_errors }) => read_errors),
  ]
}

const cacheFamilies = ({ caches }: HostStats): Family[] => {
  const { gauge, counter } = each(caches, ({ name }) => ({ name }))
  return [
    counter('uwsgi_cache_hits', 'Total number of hits.', ({ hits }) => hits),
    counter('uwsgi_cache_misses', 'Total number of misses.', ({ miss }) => miss),
    counter('uwsgi_cache_full', 'Total Number of times cache full was hit.', ({ full }) => full),
    gauge('uwsgi_cache_items', 'Items in cache.', ({ items }) => items),
    gauge('uwsgi_cache_max_items', 'Max items for this cache.', ({ max_items }) => max_items),
  ]
}

const ownFamilies = (stats: HostStats, { metrics }: PrometheusOptions): Family[] => {
  const heaps = stats.workers.flatMap(({ id, heap_bytes }) =>
    Object.entries(heap_bytes).map(([lang, bytes]) => ({ id, lang, bytes })),
  )
  const respawns = stats.workers.reduce((sum, { respawn_count }) => sum + respawn_count, 0)
  const guests = metrics.flatMap((name) => {
    const metric = stats.metrics[name]
    return metric === undefined ? [] : [{ name, value: metric.value }]
  })
  const perInterpreter = each(heaps, ({ id, lang }) => ({ worker_id: id, lang }))
  const perMetric = each(guests, ({ name }) => ({ name }))
  const perMule = each(stats.mules, ({ id }) => ({ mule_id: id }))
  const perSpooler = each(stats.spoolers, ({ dir }) => ({ dir }))
  return [
    perInterpreter.gauge('polywsgi_vm_heap_bytes', 'Bytes that an interpreter holds.', ({ bytes }) => bytes),
    counter('polywsgi_respawns_total', 'How often a worker was started again.', respawns),
    gauge('polywsgi_requests_active', 'Requests accepted and not over yet.', stats.load),
    counter('polywsgi_static_requests_total', 'Files served without a worker.', stats.static_requests),
    perMule.counter('polywsgi_mule_signals_total', 'Signals that a mule has handled.', ({ signals }) => signals),
    perSpooler.counter('polywsgi_spooler_tasks_total', 'Jobs that a spooler has run.', ({ tasks }) => tasks),
    perMetric.gauge('polywsgi_metric', 'A metric of the configuration, which guests change.', ({ value }) => value),
  ]
}
