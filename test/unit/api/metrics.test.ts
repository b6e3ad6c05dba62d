// The group `metrics` of the API: results as real uWSGI gives them, and refusals.
import { describe, expect, it } from 'vitest'
import { Metrics } from '../../../host/state/metrics.ts'
import { callsOf } from './calls.ts'

const custom = [{ name: 'mine', oid: '9.1', type: 'counter', initial: 0n, writer: 'guests' }] as const
const create = () => callsOf({ metrics: Metrics.create({ enabled: true, workers: 1, cores: 1, custom }) })
const operations = ['metric_set', 'metric_inc', 'metric_dec', 'metric_mul', 'metric_div', 'metric_set_max', 'metric_set_min']

describe('the metric functions', () => {
  it('calculate, with 1 for an operand that is not given', () => {
    const { call } = create()
    const step = (name: string, ...args: (number | bigint)[]) => [call(name, 'mine', ...args), call('metric_get', 'mine')]
    expect(step('metric_set')).toEqual([true, 1n])
    expect(step('metric_set', 17)).toEqual([true, 17n])
    expect(step('metric_inc')).toEqual([true, 18n])
    expect(step('metric_inc', 3)).toEqual([true, 21n])
    expect(step('metric_dec')).toEqual([true, 20n])
    expect(step('metric_dec', -4)).toEqual([true, 24n])
    expect(step('metric_mul')).toEqual([true, 24n])
    expect(step('metric_mul', -3)).toEqual([true, -72n])
    expect(step('metric_div')).toEqual([true, -72n])
    expect(step('metric_div', 7)).toEqual([true, -10n])
    expect(step('metric_set_max', -20)).toEqual([true, -10n])
    expect(step('metric_set_max', 2n ** 63n - 1n)).toEqual([true, 2n ** 63n - 1n])
    expect(step('metric_set_min', 4)).toEqual([true, 4n])
    expect(step('metric_set_min')).toEqual([true, 1n])
  })

  it('give nothing for a division by 0', () => {
    const { call } = create()
    call('metric_set', 'mine', 5)
    expect([call('metric_div', 'mine', 0), call('metric_get', 'mine')]).toEqual([undefined, 5n])
  })

  it('take an OID for a name, bytes for text', () => {
    const { call } = create()
    expect([call('metric_inc', '9.1', 6), call('metric_get', new TextEncoder().encode('mine'))]).toEqual([true, 6n])
  })

  it.each(operations)("%s gives nothing for a metric that is not there or the server's own", (name) => {
    const { call } = create()
    for (const metric of ['nope', '', 'core.total_tx', 'worker.1.requests', 'rss_size']) {
      expect(call(name, metric, 5)).toBeUndefined()
      expect(call('metric_get', metric)).toBe(0n)
    }
  })

  it.each(operations)('%s gives nothing without metrics', (name) => {
    const { call } = callsOf({ metrics: Metrics.create({ enabled: false, workers: 1, cores: 1, custom: [] }) })
    expect([call(name, 'mine', 5), call('metric_get', 'mine')]).toEqual([undefined, 0n])
  })

  it.each(operations)('%s refuses what is no number of 64 bits', (name) => {
    const { call, fault } = create()
    expect(fault(name, 'mine', 2n ** 63n)).toBe(
      `ValueError: uwsgi.${name}(): argument 'value' must fit 64 bits, 9223372036854775808 does not`,
    )
    expect(fault(name, 'mine', 1.5)).toBe(`TypeError: uwsgi.${name}(): argument 'value' must be a whole number`)
    expect(fault(name, 1, 1)).toBe(`TypeError: uwsgi.${name}(): argument 'name' must be text`)
    expect(fault(name)).toBe(`TypeError: uwsgi.${name}(): missing argument 'name'`)
    expect(fault(name, 'mine', 1, 1)).toBe(`TypeError: uwsgi.${name}(): takes at most 2 arguments, got 3`)
    expect(call('metric_get', 'mine')).toBe(0n)
  })

  it('metric_get refuses what is no name', () => {
    const { fault } = create()
    expect(fault('metric_get')).toBe("TypeError: uwsgi.metric_get(): missing argument 'name'")
    expect(fault('metric_get', 5)).toBe("TypeError: uwsgi.metric_get(): argument 'name' must be text")
    expect(fault('metric_get', new Uint8Array([0xff]))).toBe("TypeError: uwsgi.metric_get(): argument 'name' must be text")
  })
})
