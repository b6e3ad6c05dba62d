// Two projects: `unit` runs the sources as they are, `system` drives the built program (dist/) with real clients.
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    projects: [
      {
        // Plugins import the package by its name: here they get the sources too, not what was built of them.
        resolve: { alias: { 'polywsgi/plugin': fileURLToPath(new URL('host/plugin/index.ts', import.meta.url)) } },
        // Vitest would leave one core to itself, which on two is half of the machine.
        test: { name: 'unit', include: ['test/unit/**/*.test.ts'], testTimeout: 60_000, hookTimeout: 60_000, maxWorkers: 2 },
      },
      {
        test: {
          name: 'system',
          include: ['test/system/**/*.test.ts', 'test/escapes/**/*.test.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          // The system tests start servers of several threads each; two cores do not carry many at once.
          maxWorkers: 2,
        },
      },
    ],
  },
})
