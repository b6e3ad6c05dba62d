// Whose connections are whose, and what becomes of them when a request ends; the master is played by the test.
import { beforeEach, describe, expect, it } from 'vitest'
import type { WsgiRequest } from '../../../host/request/wsgi-request.ts'
import type { MasterPort } from '../../../host/worker/master-port.ts'
import { ThreadConnections } from '../../../host/worker/thread-connections.ts'
import { memoryRequest } from '../request/memory-request.ts'

describe('connections of a thread', () => {
  let current: WsgiRequest | undefined
  let calls: unknown[][]
  let lines: string[]
  let next: number
  let connections: ThreadConnections

  beforeEach(() => {
    current = undefined
    calls = []
    lines = []
    next = 1000
    const answer = (name: string, args: unknown): unknown => {
      calls.push([name, args])
      return name === 'connect' || name === 'asyncConnect' ? next++ : true
    }
    const master = {
      call: answer,
      callAsync: async (name: string, args: unknown) => answer(name, args),
      notify: (name: string, args: unknown) => void calls.push([name, args]),
    } as unknown as MasterPort
    connections = new ThreadConnections({
      master,
      socketTimeoutMs: 1500,
      log: { text: (line) => void lines.push(line), bytes: () => {} },
      current: () => current,
    })
  })

  const request = (uri = '/a'): WsgiRequest => memoryRequest({ REQUEST_METHOD: 'GET', REQUEST_URI: uri }).request

  it('are used by the request that opened them, and by no other', async () => {
    const [first, second] = [request(), request()]
    current = first
    const fd = connections.connect('h:1', 3000).park()
    const other = await connections.begin('h:2', 1500).promise()
    expect([connections.owns(fd), connections.owns(other)]).toEqual([true, true])
    expect(connections.send(fd, new Uint8Array(1)).park()).toBe(true)
    expect(await connections.receive(fd, 10).promise()).toBe(true)
    current = second
    expect(connections.owns(fd)).toBe(false)
    expect(() => connections.send(fd, new Uint8Array(1))).toThrow(`uwsgi.send(): ${fd} is no open connection of this request`)
    expect(() => connections.receive(fd, 1)).toThrow(`uwsgi.recv(): ${fd} is no open connection of this request`)
    expect(connections.isConnected(fd).park()).toBe(false)
    connections.close(fd)
    expect(calls.map(([name]) => name)).toEqual(['connect', 'asyncConnect', 'send', 'recv'])
    expect(calls[2]).toEqual(['send', { fd, data: new Uint8Array(1), timeoutMs: 1500 }])
  })

  it('that were opened outside of requests are for all of the thread, and stay', () => {
    const fd = connections.connect('h:1', 3000).park()
    const user = request()
    current = user
    expect(connections.isConnected(fd).park()).toBe(true)
    connections.requestEnded(user)
    expect([connections.size, connections.owns(fd), lines]).toEqual([1, true, []])
    connections.close(fd)
    expect([connections.size, calls.at(-1)]).toEqual([0, ['closeFds', { fds: [fd] }]])
  })

  it('that a request leaves open are closed with it, and named in the log', () => {
    const careless = request('/leak?x=1\nforged')
    current = careless
    const fds = [connections.connect('h:1', 1).park(), connections.connect('h:1', 1).park(), connections.connect('h:1', 1).park()]
    connections.close(fds[0] as number)
    connections.requestEnded(careless)
    expect(calls.at(-1)).toEqual(['closeFds', { fds: fds.slice(1) }])
    expect(lines).toEqual(['the plugin of modifier1 0 left 2 connections open at the end of GET /leak?x=1\\x0aforged: closed'])
    expect(connections.size).toBe(0)
  })

  it('that were all closed leave nothing to say', () => {
    const careful = request()
    current = careful
    connections.close(connections.connect('h:1', 1).park())
    connections.requestEnded(careful)
    expect([lines, calls.at(-1)]).toEqual([[], ['closeFds', { fds: [1000] }]])
  })

  it('that come when the request is over are closed at once', async () => {
    const late = request()
    current = late
    const opening = connections.connect('h:1', 1).promise()
    late.isOver = true
    connections.requestEnded(late)
    const fd = await opening
    expect([connections.size, calls.at(-1)]).toEqual([0, ['closeFds', { fds: [fd] }]])
  })
})
