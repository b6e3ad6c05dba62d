// The generated nginx configuration: both protocols, and what root needs.
import { describe, expect, it } from 'vitest'
import { nginxConfig } from '../../../bench/nginx-config.ts'

const sites = [
  { port: 8001, upstreamPort: 9001, protocol: 'uwsgi', modifier1: 6 },
  { port: 8002, upstreamPort: 9002, protocol: 'http', modifier1: 0 },
] as const

describe('nginxConfig', () => {
  const text = nginxConfig('/tmp/x', sites)

  it('passes a uwsgi site on with its modifier and the usual variables', () => {
    const server = text.slice(text.indexOf('listen 127.0.0.1:8001'), text.indexOf('upstream '))
    expect(server).toContain('uwsgi_pass 127.0.0.1:9001;')
    expect(server).toContain('uwsgi_modifier1 6;')
    expect(server).toContain('uwsgi_param PATH_INFO $document_uri;')
    expect(server).toContain('uwsgi_param HTTPS $https if_not_empty;')
  })

  it('keeps connections open to an HTTP site', () => {
    const site = text.slice(text.indexOf('upstream upstream_9002'))
    expect(site).toMatch(/server 127\.0\.0\.1:9002;\s+keepalive \d+;/)
    expect(site).toContain('proxy_http_version 1.1;')
    expect(site).toContain('proxy_set_header Connection "";')
    expect(site).toContain('proxy_pass http://upstream_9002;')
  })

  it('answers by itself where it is told to, with nothing that it would replace', () => {
    const answering = (answer: string) => nginxConfig('/tmp/x', [{ port: 8003, protocol: 'answer', answer }])
    expect(answering('0123.abc')).toMatch(/listen 127\.0\.0\.1:8003;[^}]* return 200 0123\.abc;/)
    expect(() => answering('a $host')).toThrow('nginx would change the answer "a $host"')
  })

  it('runs one worker in the foreground, logs no requests, and writes only below its directory', () => {
    expect(text).toContain('worker_processes 1;\ndaemon off;')
    expect(text).toContain('access_log off;')
    const paths = [...text.matchAll(/^\s*(?:pid|\w+_temp_path) (\S+);/gm)].map((match) => match[1])
    expect(paths).toHaveLength(6)
    expect(paths.every((path) => path?.startsWith('/tmp/x/'))).toBe(true)
  })

  it('names a user only when it is given one', () => {
    expect(text).not.toMatch(/^user /m)
    expect(nginxConfig('/tmp/x', sites, 'root')).toMatch(/^user root root;\n/)
  })
})
