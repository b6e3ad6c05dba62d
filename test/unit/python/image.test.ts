// What the master prepares for the workers.
import { createRequire } from 'node:module'
import { expect, test } from 'vitest'
import { loadImage } from '../../../bindings/python/image.ts'

const resolve = createRequire(import.meta.url).resolve

test('is a compiled module and a zip in shared memory, both of which pass between threads', async () => {
  const image = await loadImage()
  expect(Object.prototype.toString.call(image.module)).toBe('[object WebAssembly.Module]')
  expect(image.stdlib).toBeInstanceOf(SharedArrayBuffer)
  expect(Buffer.from(image.stdlib).subarray(0, 4).toString('latin1')).toBe('PK\x03\x04')
})

test.each([
  ['cannot be resolved', () => undefined],
  ['does not exist', () => '/no/such/python-stdlib.zip'],
])('says what to do when the library %s', async (_how, resolveStdlib) => {
  const missing = (specifier: string): string => {
    if (specifier !== '#python-stdlib') return resolve(specifier)
    const path = resolveStdlib()
    if (path === undefined) throw new Error('Cannot find module')
    return path
  }
  await expect(loadImage(missing)).rejects.toThrow(
    "python: the compiled standard library dist/python-stdlib.zip is missing: run 'npm run build'",
  )
})
