// Slow clients: they have begun when bytes have moved, never end by themselves, and tell how many of them have been cut off.
import { createServer } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { expect, it, onTestFinished } from 'vitest'
import { SlowClients } from '../../../bench/slow-client.ts'

const piece = Buffer.alloc(65536, 'x')

it('send and read bit by bit until they are cut off, which counts as a failure', async () => {
  const uploads: Socket[] = []
  const downloads: Socket[] = []
  const headers: unknown[] = []
  let uploaded = 0
  const server = createServer((request, response) => {
    if (request.url === '/up') {
      headers.push(request.headers['content-length'])
      uploads.push(request.socket)
      request
        .on('error', () => undefined)
        .on('data', (bytes: Buffer) => {
          uploaded += bytes.length
        })
      return
    }
    downloads.push(request.socket)
    const send = (): void => {
      while (response.write(piece));
    }
    response.on('drain', send)
    send()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const clients = new SlowClients()
  onTestFinished(() => {
    clients.close()
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  await clients.begin({ port, uploadPath: '/up', downloadPath: '/down', uploaders: 3, readers: 2 })
  const begun = clients.report()
  expect(begun).toMatchObject({ kind: 'report', failed: 0, sentBytes: expect.toSatisfy((sent) => sent >= 3 * 4096) })
  expect(begun).toMatchObject({ readBytes: expect.toSatisfy((read) => read >= 2 * 4096) })
  await expect.poll(() => uploaded).toBeGreaterThan(3 * 4096)
  expect(headers).toEqual(['1073741824', '1073741824', '1073741824'])
  expect(downloads).toHaveLength(2)

  for (const socket of [uploads[0]!, downloads[0]!]) socket.resetAndDestroy()
  // A reader has to come to the end of what it had been sent.
  await expect.poll(() => clients.report(), { timeout: 60_000 }).toMatchObject({ failed: 2 })
}, 90_000)
