import { describe, expect, it } from 'vitest'
import { prometheusText } from '../../../host/prometheus.ts'
import type { HostStats, WorkerStats } from '../../../host/stats.ts'
import { statsJson } from '../../../host/stats-json.ts'
import { readPrometheus } from '../../support/prometheus-text.ts'

const core = {
  ...{ id: 0, requests: 4, static_requests: 0, routed_requests: 0, offloaded_requests: 1, write_errors: 2, read_errors: 3 },
  ...{ in_request: 1 as const, vars: ['A=b'], req_info: { request_start: 7 } },
} as const
const worker = (id: number): WorkerStats => ({
  ...{ id, pid: 10, accepting: 1, requests: 5, delta_requests: 4, exceptions: 3, harakiri_count: 2, offloaded_requests: 1 },
  ...{ signals: 6, signal_queue: 0, status: 'busy', rss: 1000, vsz: 2000, heap_bytes: { lua: 65536 * id } },
  ...{ running_time: 1_500_000, last_spawn: 1_700_000_000, respawn_count: id, tx: 99, avg_rt: 250 },
  apps: [
    { id: 0, modifier1: 6, mountpoint: '/a "quoted" \\ and\nbroken', startup_time: 2, requests: 5, exceptions: 3, chdir: '' },
  ],
  cores: [core],
})
const stats: HostStats = {
  ...{ version: '1', listen_queue: 8, listen_queue_errors: 9, signal_queue: 0, static_requests: 12, load: 13, pid: 10, uid: 0 },
  ...{ gid: 0, cwd: '/', locks: [], caches: [], mules: [], spoolers: [] },
  metrics: { mine: { type: 'gauge', oid: '', value: -5 }, 'core.overloaded': { type: 'counter', oid: '5.5', value: 9 } },
  sockets: [{ name: '127.0.0.1:80', proto: 'http', queue: 8, max_queue: 100, shared: 0, can_offload: 1 }],
  workers: [worker(1), worker(2)],
}

describe('the text for Prometheus', () => {
  const all = readPrometheus(prometheusText(stats, { noCores: false, metrics: ['mine', 'absent'] }))
  const sampleOf = (name: string, labels: Record<string, string> = {}): number | undefined =>
    all.get(name)?.samples.find((sample) => Object.entries(labels).every(([label, text]) => sample.labels[label] === text))?.value

  it('is in the format, names by uwsgi_exporter', () => {
    expect(sampleOf('uwsgi_listen_queue_length')).toBe(8)
    expect(sampleOf('uwsgi_socket_max_queue_length', { name: '127.0.0.1:80', proto: 'http' })).toBe(100)
    expect(sampleOf('uwsgi_worker_harakiri_count_total', { worker_id: '2' })).toBe(2)
    expect(sampleOf('uwsgi_worker_running_time_seconds', { worker_id: '1' })).toBe(1.5)
    expect(sampleOf('uwsgi_worker_average_response_time_seconds', { worker_id: '1' })).toBe(0.00025)
    expect(['busy', 'idle', 'cheap'].map((status) => sampleOf(`uwsgi_worker_${status}`))).toEqual([1, 0, 0])
    expect(sampleOf('uwsgi_worker_core_write_errors_total', { worker_id: '2', core_id: '0' })).toBe(2)
    expect(all.get('uwsgi_worker_requests_total')?.type).toBe('counter')
    expect(all.get('uwsgi_worker_busy')?.type).toBe('gauge')
  })

  it('has what only polywsgi tells under a name of its own', () => {
    expect(sampleOf('polywsgi_vm_heap_bytes', { worker_id: '2', lang: 'lua' })).toBe(131_072)
    expect(sampleOf('polywsgi_respawns_total')).toBe(3)
    expect(sampleOf('polywsgi_requests_active')).toBe(13)
    expect(all.get('polywsgi_metric')?.samples).toEqual([{ labels: { name: 'mine' }, value: -5 }])
  })

  it('keeps quotes, backslashes and line breaks of names', () => {
    const [sample] = all.get('uwsgi_worker_app_requests_total')?.samples ?? []
    expect(sample?.labels).toEqual({ worker_id: '1', app_id: '0', mountpoint: '/a "quoted" \\ and\nbroken', chdir: '' })
  })

  it('leaves out families without samples, and single cores when it is told to', () => {
    const few = readPrometheus(prometheusText(stats, { noCores: true, metrics: [] }))
    expect([...few.keys()].filter((name) => /core_|cache|polywsgi_metric|mule/.test(name))).toEqual([])
    expect(few.get('uwsgi_worker_cores')?.samples[0]?.value).toBe(1)
  })
})

describe('the JSON of the stats server', () => {
  const plain = { isMinified: false, noCores: false, noMetrics: false }

  it('has the sections that there are, and metrics as uWSGI numbers them', () => {
    const text = statsJson(stats, plain)
    expect(text).toMatch(/^\{\n\t"version": "1",/)
    const shown = JSON.parse(text)
    expect(Object.keys(shown)).not.toEqual(expect.arrayContaining(['caches', 'mules', 'spoolers']))
    expect(shown.metrics).toEqual({ mine: { type: 1, value: -5 }, 'core.overloaded': { type: 0, oid: '5.5', value: 9 } })
    expect(shown.workers[0].cores).toEqual([core])
  })

  it('is shorter as asked', () => {
    const text = statsJson(stats, { isMinified: true, noCores: true, noMetrics: true })
    expect(text.slice(0, -1)).not.toMatch(/[\n\t]/)
    expect(JSON.parse(text)).not.toHaveProperty('metrics')
    expect(JSON.parse(text).workers[0]).not.toHaveProperty('cores')
  })
})
