import { describe, expect, it } from 'vitest'
import { planMonitoring } from '../../../host/monitoring-plan.ts'

const none = { stats: undefined, prometheus: undefined, ctl: undefined }
const off = { statsHttp: false, statsMinified: false, statsNoCores: false, statsNoMetrics: false }
const plan = (settings: Partial<Record<'stats' | 'prometheus' | 'ctl', string>>) =>
  planMonitoring({ ...none, ...off, ...settings }, '/srv/app')

describe('the plan of statistics and control', () => {
  it('has addresses, and the control socket from the root', () => {
    expect(plan({ stats: ':9191', prometheus: './metrics.sock', ctl: 'run/ctl' })).toMatchObject({
      stats: { kind: 'tcp', host: '0.0.0.0', port: 9191 },
      prometheus: { kind: 'unix', path: './metrics.sock' },
      control: '/srv/app/run/ctl',
    })
    expect(plan({})).toMatchObject({ stats: undefined, prometheus: undefined, control: undefined })
  })

  it.each([
    [
      { stats: '9191' },
      "stats = 9191: '9191' would be a unix socket of that name: write ':9191' for the TCP port, './9191' for the socket",
    ],
    [{ prometheus: 'http://localhost:1' }, /^prometheus = http:\/\/localhost:1: .* is not an address but a URL/],
    [
      { ctl: '127.0.0.1:80' },
      'ctl = 127.0.0.1:80: the server is commanded by the path of a unix socket only: files have owners, ports have none',
    ],
    [
      { ctl: '@name' },
      'ctl = @name: the server is commanded by the path of a unix socket only: files have owners, ports have none',
    ],
    [{ ctl: `/${'x'.repeat(120)}` }, /its path is longer than the 107 bytes/],
  ])('refuses %o by name', (settings, message) => {
    expect(() => plan(settings)).toThrow(message)
  })
})
