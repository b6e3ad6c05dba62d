// The options that ask for shared memory: what they come to, and what is refused with which words.
import { describe, expect, it } from 'vitest'
import { planMetrics } from '../../../host/metrics.ts'
import { load } from './world.ts'

const plan = (...args: string[]) => planMetrics(load(args).settings)
const metric = (text: string) => plan('--metric', text).metrics.custom[0]

describe('the queue', () => {
  it('is there when it has slots', () => {
    expect(plan().queue).toBeUndefined()
    expect(plan('--queue', '0').queue).toBeUndefined()
    expect(plan('--queue', '16').queue).toEqual({ slots: 16, blockSize: 8192 })
    expect(plan('--queue', '16', '--queue-blocksize', '1k').queue).toEqual({ slots: 16, blockSize: 1024 })
  })

  it('is refused when it would be larger than any memory', () => {
    expect(() => plan('--queue', '16777216', '--queue-blocksize', '1m')).toThrow(
      'queue = 16777216: 16777216 slots of 1048576 bytes are more than 4294967296 bytes: lower it or queue-blocksize',
    )
  })
})

describe('a shared area', () => {
  it.each([
    ['1', 4096],
    ['pages=3', 12_288],
    ['size=100', 100],
    ['size=64k', 65_536],
    ['size=2M', 2_097_152],
  ])('of %s has %s bytes', (text, size) => {
    expect(plan('--sharedarea', text, '-A', '2').sharedareas).toEqual([size, 8192])
  })

  it.each([
    ['many', "'many' is not a number of pages"],
    ['0', 'an area has at least one byte'],
    ['-1', "'-1' is not a number of pages"],
    ['size=0', 'an area has at least one byte'],
    ['size=1x', "'1x' is not a size: write a number of bytes, or one followed by k, m or g"],
    ['pages=1,size=100', 'its size is given twice'],
    ['file=/tmp/area', "an area is given by pages= or size=, not by 'file'"],
    ['pages=1048577', 'an area has at most 4294967296 bytes'],
  ])('of %s is refused', (text, problem) => {
    expect(() => plan('--sharedarea', text)).toThrow(`sharedarea = ${text}: ${problem}`)
  })
})

describe('metrics', () => {
  it('are kept with enable-metrics, and with any metric', () => {
    expect(plan('--async', '4').metrics).toEqual({ enabled: false, workers: 1, cores: 4, custom: [] })
    expect(plan('--enable-metrics', '--metrics-no-cores').metrics).toEqual({ enabled: true, workers: 1, cores: 0, custom: [] })
    expect(plan('--metric', 'orders', '--workers', '2').metrics).toMatchObject({ enabled: true, workers: 2 })
  })

  it.each([
    ['orders', { name: 'orders', oid: '', type: 'counter', initial: 0n, writer: 'guests' }],
    [
      'name=a.b-c_1,oid=1.2.3,type=gauge,initial_value=-5',
      { name: 'a.b-c_1', oid: '1.2.3', type: 'gauge', initial: -5n, writer: 'guests' },
    ],
    ['name=a,type=absolute', { name: 'a', oid: '', type: 'absolute', initial: 0n, writer: 'guests' }],
    ['name=a,alias=core.total_tx', { name: 'a', oid: '', type: 'alias', initial: 0n, writer: 'nobody', alias: 'core.total_tx' }],
    [
      'name=a,collector=sum,children=core.total_tx;worker.1.requests',
      {
        ...{ name: 'a', oid: '', type: 'counter', initial: 0n, writer: 'host' },
        collector: { kind: 'sum', children: ['core.total_tx', 'worker.1.requests'], argument: 0n, everySeconds: 1 },
      },
    ],
    [
      'name=a,collector=adder,children=core.total_tx,arg1n=-7,freq=10',
      {
        ...{ name: 'a', oid: '', type: 'counter', initial: 0n, writer: 'host' },
        collector: { kind: 'adder', children: ['core.total_tx'], argument: -7n, everySeconds: 10 },
      },
    ],
  ])('are read from %s', (text, definition) => {
    expect(metric(text)).toEqual(definition)
  })

  it.each([
    ['oid=1.2', 'it has no name: begin with name='],
    ['name=', "a name has letters, digits, dots, dashes and underscores, '' has others"],
    ['bad name', "a name has letters, digits, dots, dashes and underscores, 'bad name' has others"],
    ['core.total_tx', "there is a metric 'core.total_tx' already"],
    ['name=a,oid=5.1', 'there is a metric with the OID 5.1 already'],
    ['name=a,oid=x', "an OID is numbers with dots between, 'x' is not"],
    ['name=a,type=meter', "'type' is one of counter, gauge, absolute, alias, not 'meter'"],
    ['name=a,type=alias', 'type=alias and alias=NAME go together'],
    ['name=a,type=gauge,alias=core.total_tx', 'type=alias and alias=NAME go together'],
    ['name=a,alias=nope', "there is no metric 'nope' before it"],
    ['name=a,alias=core.total_tx,collector=sum,children=core.total_tx', 'an alias has no collector'],
    [
      'name=a,collector=func,children=core.total_tx',
      "'collector' is one of sum, accumulator, adder, multiplier, avg, not 'func'",
    ],
    ['name=a,collector=sum', 'the collector sum needs children=NAME;NAME'],
    ['name=a,collector=sum,children=a', "there is no metric 'a' before it"],
    ['name=a,collector=sum,children=core.total_tx,freq=0', "'freq' is at least 1 second, not 0"],
    ['name=a,children=core.total_tx', "'children' is for metrics with a collector"],
    ['name=a,initial_value=1.5', "'initial_value' is a whole number, not '1.5'"],
    ['name=a,initial_value=9223372036854775808', "'initial_value' must fit 64 bits, 9223372036854775808 does not"],
    ['name=a,name=b', "'name' is there twice"],
    [
      'name=a,gauge',
      "a metric has no 'gauge': there are name, oid, type, initial_value, collector, freq, arg1n, children, alias",
    ],
    ['name=a,oid', "'oid' has no value"],
  ])('are refused from %s', (text, problem) => {
    expect(() => plan('--metric', text)).toThrow(`metric = ${text}: ${problem}`)
  })

  it('may not have a name twice', () => {
    expect(() => plan('--metric', 'a', '--metric', 'a')).toThrow("metric = a: there is a metric 'a' already")
  })
})
