// wrk's report as it is printed by wrk 4.1 with --latency, with and without failures.
import { describe, expect, it } from 'vitest'
import { parseWrk } from '../../../bench/wrk.ts'

const clean = `Running 3s test @ http://127.0.0.1:9102/
  1 threads and 16 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency   309.05us  130.30us   3.40ms   92.51%
    Req/Sec    52.81k     7.07k   56.83k    90.32%
  Latency Distribution
     50%  278.00us
     75%  318.00us
     90%  365.00us
     99%    1.25ms
  162829 requests in 3.10s, 10.71MB read
Requests/sec:  52534.65
Transfer/sec:      3.46MB
`

const failing = clean
  .replace(
    'Requests/sec:',
    '  Socket errors: connect 1, read 20, write 300, timeout 4000\n  Non-2xx or 3xx responses: 17\nRequests/sec:',
  )
  .replace('278.00us', '1.50s')

describe('parseWrk', () => {
  it('reads a clean run', () => {
    expect(parseWrk(clean)).toEqual({
      requests: 162829,
      requestsPerSecond: 52534.65,
      bytesPerSecond: 3.46 * 1024 * 1024,
      p50Us: 278,
      p99Us: 1250,
      socketErrors: 0,
      badStatuses: 0,
    })
  })

  it('adds up the socket errors of all kinds and counts bad statuses apart', () => {
    const run = parseWrk(failing)
    expect(run.socketErrors).toBe(4321)
    expect(run.badStatuses).toBe(17)
    expect(run.p50Us).toBe(1_500_000)
  })

  it.each([
    ['12.00B', 12],
    ['1.50KB', 1536],
    ['2.00GB', 2 * 2 ** 30],
  ])('reads %s as bytes', (text, bytes) => {
    expect(parseWrk(clean.replace('3.46MB', text)).bytesPerSecond).toBe(bytes)
  })

  it.each([
    ['2.00m', 120e6],
    ['1.00h', 3600e6],
    ['-0.00us', -0],
  ])('reads a latency of %s', (text, microseconds) => {
    expect(parseWrk(clean.replace('1.25ms', text)).p99Us).toBe(microseconds)
  })

  it('gives no number where wrk had no answer to measure', () => {
    expect(parseWrk(clean.replace('278.00us', '-nanus')).p50Us).toBeNaN()
  })

  it.each([
    ['number of requests', /^.*requests in.*\n/m],
    ['Requests/sec', /^Requests\/sec.*\n/m],
    ['Transfer/sec', /^Transfer\/sec.*\n/m],
    ['50% latency', /^ *50%.*\n/m],
    ['99% latency', /^ *99%.*\n/m],
  ])('refuses a report without the %s, and quotes it', (what, line) => {
    const text = clean.replace(line, '')
    expect(() => parseWrk(text)).toThrow(`wrk: no ${what} in its output:\nRunning 3s test`)
  })

  it('refuses a latency of an unknown unit', () => {
    expect(() => parseWrk(clean.replace('1.25ms', '1.25days'))).toThrow('wrk: not a duration: "1.25days"')
  })
})
