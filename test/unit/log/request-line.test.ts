// The line a request leaves: uWSGI's default to the letter, log-format fields, JSON, and forged lines that fail.
import { describe, expect, it } from 'vitest'
import {
  compileLogFormat,
  ctime,
  defaultRequestLine,
  type RequestFacts,
  requestLogObject,
} from '../../../host/log/request-line.ts'
import { WholeBody } from '../../../host/request/body.ts'
import { WsgiRequest } from '../../../host/request/wsgi-request.ts'
import { encodeVars } from '../../../protocol/index.ts'

const startedAtMs = new Date(2026, 10, 3, 9, 5, 7).getTime()

const factsOf = (vars: Record<string, string>, status = '200 OK'): RequestFacts & { readonly request: WsgiRequest } => {
  const block = encodeVars(Object.entries(vars))
  const sink = { clientGone: false, send: () => {}, sendAsync: async () => {}, cut: () => {} }
  const request = new WsgiRequest({
    coreId: 3,
    modifier1: 6,
    modifier2: 1,
    vars: block,
    body: new WholeBody(new Uint8Array(0)),
    sink,
    app: undefined,
  })
  request.setHead(status, 'Content-Type\0text/plain\0Content-Length\x005')
  request.finish(new Uint8Array(5))
  return {
    request,
    pid: 77,
    workerId: 2,
    appId: 0,
    appRequests: 4,
    totalRequests: 9,
    startedAtMs,
    durationMs: 12.3456,
    packetSize: block.length,
    switches: 1,
  }
}

const usual = {
  REQUEST_METHOD: 'GET',
  REQUEST_URI: '/a?b=c',
  REMOTE_ADDR: '127.0.0.1',
  SERVER_PROTOCOL: 'HTTP/1.1',
}

describe('the line of a request', () => {
  it('is by default the one that uWSGI writes', () => {
    const facts = factsOf(usual)
    expect(defaultRequestLine(false)(facts)).toBe(
      `[pid: 77|app: 0|req: 4/9] 127.0.0.1 () {8 vars in ${facts.packetSize} bytes} [Tue Nov  3 09:05:07 2026] ` +
        'GET /a?b=c => generated 5 bytes in 12 msecs (HTTP/1.1 200) 2 headers in 64 bytes (1 switches on core 3)',
    )
    expect(defaultRequestLine(true)(facts)).toContain('generated 5 bytes in 12346 micros')
  })

  it('follows a log-format, with - for what is empty or unknown', () => {
    const line = compileLogFormat(
      '%(addr) "%(method) %(uri)" %(status) %(rsize) w%(wid) c%(core) [%(user)] [%(nonsense)] %(var.SERVER_PROTOCOL)',
    )
    expect(line(factsOf(usual))).toBe('127.0.0.1 "GET /a?b=c" 200 5 w2 c3 [-] [-] HTTP/1.1')
  })

  it('tells how often the client or its body was not there', () => {
    const facts = factsOf(usual)
    facts.request.disconnect()
    const line = compileLogFormat('%(werr) %(rerr) %(ioerr)')
    expect(line(facts)).toBe('0 0 0')
    expect(() => facts.request.writeBody('x')).toThrow()
    expect(line(facts)).toBe('1 0 1')
    const body = {
      contentLength: 1,
      whole: undefined,
      readErrors: 2,
      read: () => new Uint8Array(0),
      readAsync: async () => new Uint8Array(0),
    }
    const sink = { clientGone: false, send: () => {}, sendAsync: async () => {}, cut: () => {} }
    const fields = { coreId: 0, modifier1: 0, modifier2: 0, vars: new Uint8Array(0), body, sink, app: undefined }
    expect(line({ ...facts, request: new WsgiRequest(fields) })).toBe('0 2 2')
  })

  it('shows what an app has set with set_logvar, and cannot be forged by that either', () => {
    const facts = factsOf(usual)
    facts.request.setLogvar('user_id', Buffer.from('42\n[pid: 1]'))
    expect(compileLogFormat('%(user_id) %(other)')(facts)).toBe('42\\x0a[pid: 1] -')
    facts.request.setLogvar('user_id', 'Zoë')
    expect(facts.request.logvars?.get('user_id')).toEqual(Buffer.from('Zoë', 'utf8'))
  })

  it('cannot be forged by a client that sends line breaks', () => {
    const line = compileLogFormat('%(uri) %(uagent)')(
      factsOf({ ...usual, REQUEST_URI: '/\n[pid: 1]', HTTP_USER_AGENT: 'a\r\x1b[31m' }),
    )
    expect(line).toBe('/\\x0a[pid: 1] a\\x0d\\x1b[31m')
  })

  it('is in JSON an object of named values, text decoded from UTF-8', () => {
    const uri = Buffer.from('/"é"', 'utf8').toString('latin1')
    expect(requestLogObject(factsOf({ ...usual, REQUEST_URI: uri }, '404'))).toEqual({
      worker: 2,
      core: 3,
      app: 0,
      method: 'GET',
      uri: '/"é"',
      protocol: 'HTTP/1.1',
      status: 404,
      remoteAddr: '127.0.0.1',
      responseBytes: 5,
      durationMs: 12.346,
    })
  })

  it('has the date as C ctime() writes it', () => {
    expect(ctime(new Date(2026, 0, 31, 23, 0, 1).getTime())).toBe('Sat Jan 31 23:00:01 2026')
  })
})
