// A named pipe that programs write to.
import { execFileSync } from 'node:child_process'
import { appendFileSync, existsSync, mkdtempSync, rmSync, statSync, unlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { Fifo } from '../../../host/gateway/fifo.ts'

let folder: string
let path: string
let open: Fifo[]
let seen: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'polywsgi-fifo-'))
  path = join(folder, 'fifo')
  open = []
  seen = ''
})
afterEach(() => {
  for (const fifo of open) fifo.close()
  rmSync(folder, { recursive: true, force: true })
})

const make = async (): Promise<Fifo> => {
  const fifo = await Fifo.open({
    path,
    onBytes: (bytes) => (seen += Buffer.from(bytes).toString('latin1')),
    onError: (error) => expect.unreachable(error.message),
  })
  open.push(fifo)
  return fifo
}

it('takes what several writers write, one after the other, and bytes of any kind', async () => {
  await make()
  appendFileSync(path, 'one')
  appendFileSync(path, 'two')
  await expect.poll(() => seen).toBe('onetwo')
  appendFileSync(path, Buffer.from([0, 255, 10]))
  await expect.poll(() => seen).toBe('onetwo\x00\xff\n')
})

it('is for the user of the server alone, and is removed at the end', async () => {
  const fifo = await make()
  expect(statSync(path).mode & 0o777).toBe(0o600)
  fifo.close()
  expect(existsSync(path)).toBe(false)
})

it('takes the place of one that was left there', async () => {
  execFileSync('mkfifo', [path])
  await make()
  appendFileSync(path, 'heard')
  await expect.poll(() => seen).toBe('heard')
})

it('leaves alone what is no named pipe, and what another server has made there', async () => {
  writeFileSync(path, 'mine')
  const refusal = { code: 'SOCKET_BIND', message: `master-fifo = ${path}: something stands there that is no named pipe` }
  await expect(make()).rejects.toMatchObject(refusal)
  unlinkSync(path)
  const first = await make()
  const second = await make()
  first.close()
  expect(existsSync(path)).toBe(true)
  second.close()
  expect(existsSync(path)).toBe(false)
})

it('says what keeps it from being made', async () => {
  path = join(folder, 'nowhere', 'fifo')
  await expect(make()).rejects.toThrow(/^master-fifo = .*nowhere\/fifo: .*No such file or directory/)
})
