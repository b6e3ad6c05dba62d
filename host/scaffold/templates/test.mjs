// Starts a server with the plugin's source and asks it. Run by: node --test
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { createHost } from 'polywsgi'

test('__NAME__ answers', async () => {
  await using host = await createHost({
    cwd: fileURLToPath(new URL('..', import.meta.url)),
    plugin: ['./__ENTRY__'],
    // Requests over HTTP become packets of the plugin's.
    httpSocketModifier1: 250,
    needApp: false,
  })
  const response = await host.fetch('http://localhost/')
  assert.equal(response.status, 200)
  assert.equal(await response.text(), 'Hello from __NAME__\n')
})
