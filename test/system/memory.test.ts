// Large bodies pass through without being held: the process's memory, as the kernel counts it.

import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { request } from 'node:http'
import { describe, expect, it } from 'vitest'
import { startProbe } from '../support/probe.ts'
import type { Server } from '../support/server.ts'

const megabyte = 1024 * 1024
const size = 200 * megabyte
/** What a transfer may leave behind, in megabytes: buffers that the next one uses again. */
const leftover = 64
/** What it may take on the way: garbage that V8 has not collected yet, but no part of the body is held. */
const passing = 128

const residentBytes = (server: Server): number => {
  const match = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${server.pid}/status`, 'utf8'))
  return Number(match?.[1]) * 1024
}

/** Sends `size` bytes as fast as they are taken; looks at the server's memory on the way. */
const upload = async (server: Server, path: string): Promise<{ answer: string; highest: number; after: number }> => {
  const client = request(server.http + path, { method: 'POST', headers: { 'Content-Length': size } })
  const chunk = Buffer.alloc(megabyte, 'u')
  let highest = 0
  for (let sent = 0; sent < size; sent += chunk.length) {
    if (!client.write(chunk)) await once(client, 'drain')
    highest = Math.max(highest, residentBytes(server))
  }
  client.end()
  const [response] = await once(client, 'response')
  let answer = ''
  for await (const piece of response) answer += piece
  return { answer, highest, after: residentBytes(server) }
}

describe.skipIf(process.platform !== 'linux')('memory', () => {
  it.each([
    ['spooled to a file', []],
    ['streamed to the app', ['--post-buffering', '0']],
  ])('stays where it was under an upload of 200 MB that is %s', async (_, args) => {
    await using server = await startProbe(...args)
    await (await fetch(`${server.http}/worker`)).text()
    const before = residentBytes(server)
    const { answer, highest, after } = await upload(server, '/count')
    expect(answer).toBe(`${size} of ${size}`)
    expect((highest - before) / megabyte).toBeLessThan(passing)
    expect((after - before) / megabyte).toBeLessThan(leftover)
  })

  it('stays where it was under a download of 200 MB, to a client that reads slowly at first', async () => {
    await using server = await startProbe()
    await (await fetch(`${server.http}/worker`)).text()
    const before = residentBytes(server)
    const client = request(`${server.http}/download?200`)
    client.end()
    const [response] = await once(client, 'response')
    // Nothing is read until the server has done all it can do for this client: other requests pass meanwhile.
    for (let n = 0; n < 200; n += 1) await new Promise((resolve) => setImmediate(resolve))
    let highest = residentBytes(server)
    let received = 0
    for await (const piece of response) {
      received += piece.length
      if (received % (8 * megabyte) < piece.length) highest = Math.max(highest, residentBytes(server))
    }
    expect(received).toBe(size)
    expect((highest - before) / megabyte).toBeLessThan(passing)
    expect((residentBytes(server) - before) / megabyte).toBeLessThan(leftover)
  })
})
