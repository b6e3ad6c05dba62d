// Run by: node --test
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createHost } from 'polywsgi'

const options = {
  cwd: import.meta.dirname,
  needPlugin: ['./counter.ts'],
  httpSocketModifier1: 250,
  needApp: false,
  logto: '/dev/null',
}

test('counts the requests of all workers', async () => {
  await using host = await createHost({ ...options, workers: 2 })
  const ask = async (): Promise<number> => Number(await (await host.fetch('http://localhost/')).text())
  const answers = await Promise.all(Array.from({ length: 10 }, ask))
  assert.deepEqual(new Set(answers), new Set([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]))
})

test('counts from where it is told to', async () => {
  await using host = await createHost({ ...options, countFrom: 7 })
  assert.equal(await (await host.fetch('http://localhost/')).text(), '7\n')
})

test('answers GET alone', async () => {
  await using host = await createHost(options)
  const response = await host.fetch('http://localhost/', { method: 'POST' })
  assert.equal(response.status, 405)
})

test('refuses what is no number', async () => {
  await assert.rejects(createHost({ ...options, countFrom: 0.5 }), /countFrom/)
})
